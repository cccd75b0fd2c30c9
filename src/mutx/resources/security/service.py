"""What `/v1/security` answers from the ledger: receipts, sessions and counts, for one caller's workspace."""

from collections.abc import Sequence

from mutx.contract.security import SecurityMetrics, SessionItem, SessionSummary
from mutx.governance.chain import genesis
from mutx.governance.context import ContextAccumulator
from mutx.governance.own_agent import require_own_agent
from mutx.governance.ports import SessionState
from mutx.governance.turn import Turn
from mutx.governance.types import Caller
from mutx.kit.clock import to_datetime
from mutx.kit.errors import Conflict, NotFound
from mutx.storage.views import LedgerStore, SessionEntry


class SecurityRecords:
    """An agent's key sees its own agent's sessions and receipts only."""

    def __init__(self, ledger: LedgerStore, caller: Caller) -> None:
        self._ledger = ledger
        self._workspace_id = caller.workspace_id
        self._caller = caller
        self._agent_id = caller.agent_id

    async def receipt(self, receipt_id: str) -> Turn:
        """Raises NotFound."""
        turn = await self._ledger.receipt(self._workspace_id, receipt_id)
        if turn is None or self._hidden(turn.action.agent_id):
            raise NotFound(f"no receipt {receipt_id}")
        return turn

    async def session(self, session_id: str) -> SessionEntry:
        """Raises NotFound."""
        entry = await self._ledger.session(self._workspace_id, session_id)
        if entry is None or self._hidden(entry.agent_id):
            raise NotFound(f"no session {session_id}")
        return entry

    async def session_receipts(self, session_id: str, after: int, limit: int) -> Sequence[Turn]:
        """In order. Raises NotFound."""
        await self.session(session_id)
        return await self._ledger.turns(self._workspace_id, session_id, after=after, limit=limit)

    async def whole_session(self, session_id: str) -> list[Turn]:
        """Every turn, in order. Raises NotFound."""
        await self.session(session_id)
        return [turn async for turn in self._ledger.export(self._workspace_id, session_id)]

    async def open_session(
        self, session_id: str, agent_id: str, original_request: str | None, stated_intent: str | None, now: float
    ) -> None:
        """Store a session with the user's request, which later calls cannot change. The human is the caller's.

        Raises PermissionDenied, Conflict.
        """
        require_own_agent(self._caller, agent_id)
        context = ContextAccumulator().new(
            workspace_id=self._workspace_id,
            session_id=session_id,
            agent_id=agent_id,
            user_id=self._caller.user_id,
            now=now,
            original_request=original_request,
            stated_intent=stated_intent,
        )
        state = SessionState(context, genesis(self._workspace_id, session_id), 0, now, None)
        if not await self._ledger.create_session(state):
            raise Conflict("there is a session of this id already; choose another id")

    async def close_session(self, session_id: str, now: float) -> None:
        """It decides nothing more; closing it again changes nothing. Raises NotFound."""
        await self.session(session_id)
        await self._ledger.close_session(self._workspace_id, session_id, now)

    async def sessions(
        self, agent_id: str | None, active: bool | None, skip: int, limit: int
    ) -> tuple[list[SessionItem], int]:
        """Newest first, and how many there are. To an agent's key another agent has no sessions."""
        if agent_id is not None and self._hidden(agent_id):
            return [], 0
        entries, total = await self._ledger.sessions(
            self._workspace_id, agent_id=self._agent_id or agent_id, active=active, skip=skip, limit=limit
        )
        return [_item(entry) for entry in entries], total

    async def summary(self, session_id: str, now: float) -> SessionSummary:
        """Raises NotFound."""
        entry = await self.session(session_id)
        context = (await self._ledger.load(self._workspace_id, session_id)).context
        end = now if entry.closed_at is None else entry.closed_at
        return SessionSummary(
            session_id=session_id,
            agent_id=entry.agent_id,
            duration_seconds=max(0.0, end - entry.created_at),
            total_actions=entry.permits + entry.denials + entry.defers,
            permits=entry.permits,
            denials=entry.denials,
            defers=entry.defers,
            errors=entry.errors,
            intent_alignment=context.intent.value,
            user_id=entry.user_id,
            original_request=context.original_request or None,
            closed=entry.closed_at is not None,
            head=entry.head,
            receipts=entry.seq,
        )

    async def metrics(self, now: float, latency_ms: float) -> SecurityMetrics:
        counts = await self._ledger.counts(self._workspace_id, now)
        return SecurityMetrics(
            total_evaluations=counts.evaluations,
            permits=counts.permits,
            denials=counts.denials,
            defers=counts.defers,
            pending_approvals=counts.pending_approvals,
            intent_drifts=counts.drifts,
            active_sessions=counts.active_sessions,
            avg_latency_ms=latency_ms,
            decisions_per_minute=counts.last_minute,
            decisions_per_hour=counts.last_hour,
        )

    def _hidden(self, agent_id: str) -> bool:
        return self._agent_id is not None and agent_id != self._agent_id


def _item(entry: SessionEntry) -> SessionItem:
    return SessionItem(
        session_id=entry.session_id,
        agent_id=entry.agent_id,
        user_id=entry.user_id,
        receipts=entry.seq,
        permits=entry.permits,
        denials=entry.denials,
        defers=entry.defers,
        errors=entry.errors,
        created_at=to_datetime(entry.created_at),
        updated_at=to_datetime(entry.updated_at),
        closed=entry.closed_at is not None,
    )
