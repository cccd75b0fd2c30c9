"""Who did what: the ledger's turns, and the entries that are no turn, as one log in the order of time."""

from collections.abc import AsyncIterator, Iterable, Sequence
from heapq import merge
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.audit import AuditEvent, AuditExport
from mutx.governance.keys import KeyRing
from mutx.governance.turn import Turn
from mutx.governance.types import Caller
from mutx.kit.errors import InputError, TooLarge
from mutx.resources.audit.chain import ALGORITHM, SCHEMA_VERSION
from mutx.resources.audit.checking import ChainCheck
from mutx.resources.audit.models import AuditEventRow
from mutx.resources.audit.news import AuditEntries
from mutx.resources.audit.proof import SessionProof
from mutx.resources.audit.query import AuditQuery, AuditScope
from mutx.resources.audit.turns import actions_of, turn_event
from mutx.resources.audit.views import audit_event
from mutx.services.identity.sealing import Sealer
from mutx.services.siem.record import trace_of
from mutx.storage.views import LedgerStore, SessionEntry, TurnFilter

PAGE = 200
MAX_SKIP = 10_000
MAX_EXPORT = 20_000
"""Events of one export, and turns that it checks."""


class AuditLog:
    """The events that one caller may see: all of the workspace with an audit role, else the caller's own."""

    def __init__(
        self, ledger: LedgerStore, session: AsyncSession, keys: KeyRing, sealer: Sealer, caller: Caller
    ) -> None:
        self._ledger = ledger
        self._keys = keys
        self._sealer = sealer
        self._scope = AuditScope.of(caller)
        self._entries = AuditEntries(session, self._scope)

    async def page(self, which: AuditQuery, skip: int, limit: int) -> tuple[Sequence[AuditEvent], int]:
        """Newest first, and how many there are. Raises InputError beyond `MAX_SKIP`."""
        if skip > MAX_SKIP:
            raise InputError(f"skip at most {MAX_SKIP} events; narrow the time range instead")
        turns, of_turns = await self._turns(which, skip + limit)
        rows, of_rows = await self._entries.newest(which, skip + limit)
        both = merge(map(turn_event, turns), map(self._shown, rows), key=lambda e: e.timestamp, reverse=True)
        return list(islice(both, skip, skip + limit)), of_turns + of_rows

    async def trace(self, trace_id: str) -> Sequence[AuditEvent]:
        """The events of one action, in order."""
        own = self._scope.own_turns
        turns: list[Turn] = []
        for action_id in actions_of(trace_id):
            which = TurnFilter(agent_id=own.agent_id, user_id=own.user_id, action_id=action_id)
            turns += (await self._ledger.audit(self._scope.workspace_id, which, limit=MAX_EXPORT))[0]
        rows = await self._entries.of_trace(trace_of(trace_id), MAX_EXPORT)
        return _in_order(map(turn_event, reversed(turns)), map(self._shown, rows))

    async def export(self, session_id: str | None, run_id: str | None) -> AuditExport:
        """The events in order, with the verdict on every chain that they stand in. Raises TooLarge."""
        which = AuditQuery(session_id=session_id, run_id=run_id)
        rows, found = await self._entries.newest(which, MAX_EXPORT)
        _bounded(found)
        check = ChainCheck(self._entries, self._scope.workspace_id, self._keys, self._sealer)
        await check.run()
        root, errors, events = check.head, check.errors, list[AuditEvent]()
        async for entry in self._sessions(which):
            found += max(1, entry.seq)
            _bounded(found)
            proof = SessionProof(self._scope.workspace_id, entry, self._keys)
            events += await self._proved(entry, proof)
            errors += proof.errors
            root = proof.head if which.session is not None else root
        events = _in_order(events, map(self._shown, reversed(rows)))
        return AuditExport(
            schema_version=SCHEMA_VERSION,
            algorithm=ALGORITHM,
            run_id=run_id,
            session_id=session_id,
            event_count=len(events),
            chain_root=root,
            verified=not errors,
            errors=errors,
            events=events,
        )

    def _shown(self, row: AuditEventRow) -> AuditEvent:
        return audit_event(row, self._sealer)

    async def _turns(self, which: AuditQuery, limit: int) -> tuple[Sequence[Turn], int]:
        wanted = self._scope.turns(which)
        if wanted is None:
            return (), 0
        return await self._ledger.audit(self._scope.workspace_id, wanted, limit=limit)

    async def _sessions(self, which: AuditQuery) -> AsyncIterator[SessionEntry]:
        """The sessions whose turns are meant: the one that is named, else every one."""
        workspace, seen = self._scope.workspace_id, set[str]()
        if which.session is not None:
            entry = None if which.nowhere else await self._ledger.session(workspace, which.session)
            if entry is not None:
                yield entry
            return
        while page := (await self._ledger.sessions(workspace, skip=len(seen), limit=PAGE))[0]:
            for entry in page:
                if entry.session_id not in seen:  # a session opened meanwhile moves the rest by one
                    seen.add(entry.session_id)
                    yield entry

    async def _proved(self, entry: SessionEntry, proof: SessionProof) -> list[AuditEvent]:
        """The session's events that the caller may see; every turn of it is checked, up to the head it had."""
        own, events, after = self._scope.own_turns, list[AuditEvent](), 0
        while after < entry.seq:
            limit = min(PAGE, entry.seq - after)
            turns = await self._ledger.turns(self._scope.workspace_id, entry.session_id, after=after, limit=limit)
            if not turns:
                break
            await proof.take(turns)
            events += [turn_event(turn) for turn in turns if own.matches(turn)]
            after = turns[-1].seq
        return events


def _bounded(found: int) -> None:
    if found > MAX_EXPORT:
        raise TooLarge(f"more than {MAX_EXPORT} events; export one session, or page through /v1/audit/events")


def _in_order(*parts: Iterable[AuditEvent]) -> list[AuditEvent]:
    """By time; events of one moment stay as they came."""
    return sorted((event for part in parts for event in part), key=lambda event: event.timestamp)
