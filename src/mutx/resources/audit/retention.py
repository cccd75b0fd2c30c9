"""What is kept no longer than its class says: contents are emptied, links stay, and the oldest links go once all are empty.

Every pruning is an entry itself and says which class and how far; the signed end of the chain says where it begins now.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.turn import Event
from mutx.kit.clock import Clock, rfc3339, to_datetime
from mutx.resources.audit.chain import erase
from mutx.resources.audit.checking import PRUNED
from mutx.resources.audit.classes import DAY, RetentionClass, RetentionRules
from mutx.resources.audit.models import AuditChainRow, AuditEventRow
from mutx.resources.audit.trail import AuditTrail
from mutx.resources.workspaces.models import WorkspaceRow
from mutx.storage.engine import Database
from mutx.storage.outbox import tell
from mutx.storage.views import LedgerStore, TurnFilter

BATCH = 200
"""Entries of one unit of work: whoever else writes waits for it."""


class AuditRetention:
    """A worker runs it; what it does not get to, the next run does."""

    def __init__(
        self, database: Database, ledger: LedgerStore, trail: AuditTrail, rules: RetentionRules, clock: Clock
    ) -> None:
        self._database = database
        self._values = ValueRetention(database, ledger, trail)
        self._trail = trail
        self._rules = rules
        self._clock = clock

    async def run(self) -> int:
        """Empty everything that is due; returns how many entries."""
        done = 0
        for which in RetentionClass:
            days = self._rules.days(which)
            if not days or which is RetentionClass.AUDIT:  # its own entries go with the oldest links, in `_trim`
                continue
            before = self._clock.now() - days * DAY
            while workspace_id := await self._due(which, before):
                done += await self._prune(workspace_id, which, before)
            if which is RetentionClass.AGENT_EXECUTION:
                await self._values.run(before, self._clock.now())
        return done

    async def _due(self, which: RetentionClass, before: float) -> str | None:
        """A workspace that has something to empty."""
        async with self._database.read() as session:
            query = select(AuditEventRow.workspace_id).where(*_due(which, before)).limit(1)
            return (await session.scalars(query)).first()

    async def _prune(self, workspace_id: str, which: RetentionClass, before: float) -> int:
        async with self._database.write() as session:
            chain = await self._trail.hold(session, workspace_id)
            mine = (AuditEventRow.workspace_id == workspace_id, *_due(which, before))
            query = select(AuditEventRow).where(*mine).order_by(AuditEventRow.sequence).limit(BATCH)
            rows: Sequence[AuditEventRow] = (await session.scalars(query)).all()
            for row in rows:
                erase(row)
            await tell(session, [pruning(workspace_id, self._clock.now(), which, before, entries=len(rows))])
            await self._trim(session, chain)
        return len(rows)

    async def _trim(self, session: AsyncSession, chain: AuditChainRow) -> None:
        """Remove the oldest links where nothing is left of any of them."""
        kept = self._rules.days(RetentionClass.AUDIT)
        before = to_datetime(self._clock.now() - kept * DAY) if kept else None
        mine = (AuditEventRow.workspace_id == chain.workspace_id, AuditEventRow.sequence > chain.base)
        query = select(AuditEventRow).where(*mine).order_by(AuditEventRow.sequence).limit(BATCH)
        for row in (await session.scalars(query)).all():
            own = row.retention == RetentionClass.AUDIT and before is not None and row.timestamp < before
            if row.salt is not None and not own:
                break
            chain.base, chain.base_hash = row.sequence, row.integrity_hash
            await session.delete(row)
        self._trail.sign(chain)


def pruning(workspace_id: str, at: float, which: RetentionClass, before: float, **counts: int) -> Event:
    """The entry of one pruning. `at`, `before`: seconds."""
    payload = {
        "event_type": PRUNED,
        "actor_type": "system",
        "actor_id": "retention",
        "retention": which.value,
        "before": rfc3339(before),
        **counts,
    }
    return Event(topic="audit.audit", workspace_id=workspace_id, at=at, payload=payload)


def _due(which: RetentionClass, before: float) -> tuple[ColumnElement[bool], ...]:
    row = AuditEventRow
    return (row.retention == which.value, row.timestamp < to_datetime(before), row.salt.is_not(None))


class ValueRetention:
    """Arguments and results of governed actions: erased when they are due, while their receipts stay and still verify."""

    def __init__(self, database: Database, ledger: LedgerStore, trail: AuditTrail) -> None:
        self._database = database
        self._ledger = ledger
        self._trail = trail

    async def run(self, before: float, now: float) -> None:
        """Every workspace, up to `before` (seconds)."""
        async with self._database.read() as session:
            workspaces = (await session.scalars(select(WorkspaceRow.id))).all()
        for workspace_id in workspaces:
            await self._run(workspace_id, before, now)

    async def _run(self, workspace_id: str, before: float, now: float) -> None:
        async with self._database.read() as session:
            chain = await session.get(AuditChainRow, workspace_id)
        done_until = chain.values_before.timestamp() if chain is not None and chain.values_before is not None else None
        seen, erased = await self._erase(workspace_id, TurnFilter(since=done_until, until=before))
        if not seen:
            return
        async with self._database.write() as session:
            held = await self._trail.hold(session, workspace_id)
            held.values_before = to_datetime(before)
            if erased:
                event = pruning(workspace_id, now, RetentionClass.AGENT_EXECUTION, before, actions=erased)
                await tell(session, [event])

    async def _erase(self, workspace_id: str, which: TurnFilter) -> tuple[int, int]:
        """How many turns there are, and how many actions lost their values."""
        done: set[str] = set()
        skip = 0
        while page := (await self._ledger.audit(workspace_id, which, skip=skip, limit=BATCH))[0]:
            for turn in page:
                holds = turn.sealed.args_salt is not None or turn.sealed.result_salt is not None
                if holds and turn.action.id not in done:
                    await self._ledger.erase(workspace_id, turn.id)
                    done.add(turn.action.id)
            skip += len(page)
        return skip, len(done)
