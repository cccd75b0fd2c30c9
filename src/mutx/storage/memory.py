"""A ledger that lives and dies with the process: embedded use without a file, and the model SQLite must agree with."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator
from mutx.governance.ports import SessionState
from mutx.governance.turn import ActionState, ApprovalRequest, Event, Grant, RequestStatus, Turn, TurnKind
from mutx.kit.clock import Clock
from mutx.storage.counters import Counters
from mutx.storage.ledger_core import LedgerCore, StoredSession
from mutx.storage.memory_tables import MemoryTables, live, new_entry
from mutx.storage.sessions import MAX_SESSIONS, SessionCache
from mutx.storage.tally import due_at
from mutx.storage.views import QueuedEvent, SessionEntry, TurnFilter, WorkspaceCounts
from mutx.storage.writer import Done

T = TypeVar("T")


class MemoryLedger(LedgerCore):
    """`LedgerStore` without a store. It grows with what it records."""

    def __init__(self, accumulator: ContextAccumulator, clock: Clock, *, max_sessions: int = MAX_SESSIONS) -> None:
        self._tables = MemoryTables()
        super().__init__(accumulator, clock, SessionCache(max_sessions), Counters(self._counted))

    def _counted(self, workspace_id: str, key: str) -> int:
        counted = self._tables.counters.get((workspace_id, key))
        return 0 if counted is None else counted.value

    async def _stored(self, workspace_id: str, session_id: str) -> StoredSession | None:
        session = self._tables.sessions.get((workspace_id, session_id))
        if session is None:
            return None
        later = self._tables.turns_of(workspace_id, session.receipts[session.snapshot_seq :])
        entry = session.entry
        deltas = tuple(turn.delta for turn in later)
        return StoredSession(entry.head, entry.seq, entry.updated_at, entry.closed_at, session.snapshot, deltas)

    def _submit(self, turn: Turn, snapshot: bytes | None, done: Done) -> None:
        self._tables.add_turn(turn, snapshot)
        done(None, None)

    # -- sessions and turns -------------------------------------------------------------------------------------

    async def _create(self, state: SessionState, snapshot: bytes) -> bool:
        context = state.context
        entry = new_entry(context.session_id, context.agent_id, context.user_id, state.head, state.last_at)
        return self._tables.add_session(entry, context.workspace_id, snapshot)

    async def is_empty(self) -> bool:
        return not self._tables.turns

    async def close_session(self, workspace_id: str, session_id: str, at: float) -> bool:
        session = self._tables.sessions.get((workspace_id, session_id))
        if session is None or session.entry.closed_at is not None:
            return False
        session.entry = replace(session.entry, closed_at=at, updated_at=at)
        state = self.cached(workspace_id, session_id)
        if state is not None:
            state.closed_at = at
        return True

    async def turns(self, workspace_id: str, session_id: str, *, after: int = 0, limit: int = 100) -> Sequence[Turn]:
        session = self._tables.sessions.get((workspace_id, session_id))
        return [] if session is None else list(self._tables.turns_of(workspace_id, session.receipts[after:][:limit]))

    async def receipt(self, workspace_id: str, receipt_id: str) -> Turn | None:
        return self._tables.turns.get((workspace_id, receipt_id))

    async def audit(
        self, workspace_id: str, which: TurnFilter, *, skip: int = 0, limit: int = 50
    ) -> tuple[Sequence[Turn], int]:
        found = [turn for turn in self._of(workspace_id, self._tables.turns) if which.matches(turn)]
        found.sort(key=lambda turn: turn.at)
        return _page(found, skip, limit)

    async def sessions(
        self,
        workspace_id: str,
        *,
        agent_id: str | None = None,
        active: bool | None = None,
        skip: int = 0,
        limit: int = 50,
    ) -> tuple[Sequence[SessionEntry], int]:
        entries = (session.entry for session in self._of(workspace_id, self._tables.sessions))
        found = [
            entry
            for entry in entries
            if agent_id in (None, entry.agent_id) and active in (None, entry.closed_at is None)
        ]
        return _page(found, skip, limit)

    async def session(self, workspace_id: str, session_id: str) -> SessionEntry | None:
        session = self._tables.sessions.get((workspace_id, session_id))
        return None if session is None else session.entry

    # -- actions and requests -----------------------------------------------------------------------------------

    async def action(self, workspace_id: str, action_id: str) -> ActionState | None:
        return self._actions.get(workspace_id, action_id) or self._tables.action(workspace_id, action_id)

    async def redeem(self, workspace_id: str, action_id: str, permit_id: str, at: float) -> bool:
        spent = self._tables.redeem(workspace_id, action_id, at)
        if spent:
            self._actions.redeemed(workspace_id, action_id, at)
        return spent

    async def unconcluded(self, workspace_id: str, now: float, limit: int = 50) -> Sequence[ActionState]:
        states = [
            await self.action(workspace_id, turn.action.id)
            for turn in self._of(workspace_id, self._tables.turns)
            if turn.permit is not None and turn.permit.expires_at <= now
        ]
        open_ones = [state for state in states if state is not None and state.outcome is None]
        return open_ones[::-1][:limit]

    async def request(self, workspace_id: str, request_id: str) -> ApprovalRequest | None:
        mine = self._of(workspace_id, self._tables.requests)
        return next((request for request in mine if request_id in (request.id, request.token)), None)

    async def requests(
        self,
        workspace_id: str,
        *,
        status: RequestStatus | None = None,
        session_id: str | None = None,
        agent_id: str | None = None,
        skip: int = 0,
        limit: int = 50,
    ) -> tuple[Sequence[ApprovalRequest], int]:
        found = [
            request
            for request in self._of(workspace_id, self._tables.requests)
            if status in (None, request.status)
            and session_id in (None, request.session_id)
            and agent_id in (None, request.agent_id)
        ]
        found.sort(key=lambda request: request.id)
        return _page(found, skip, limit)

    async def due(self, now: float, limit: int = 100) -> Sequence[ApprovalRequest]:
        timed = [(at, request) for request in self._tables.requests.values() if (at := due_at(request)) is not None]
        timed.sort(key=lambda pair: pair[0])
        return [request for at, request in timed if at <= now][:limit]

    async def save_request(self, request: ApprovalRequest, events: Sequence[Event]) -> None:
        self._tables.put_request(request, events)
        self._actions.asked(request)

    # -- grants -------------------------------------------------------------------------------------------------

    async def grants(self, workspace_id: str, agent_id: str, tool_name: str, now: float) -> Sequence[Grant]:
        return [
            grant
            for grant in self._of(workspace_id, self._tables.grants)
            if (grant.agent_id, grant.tool_name) == (agent_id, tool_name) and live(grant, now)
        ]

    async def add_grant(self, grant: Grant) -> None:
        self._tables.grants[grant.workspace_id, grant.id] = grant

    async def list_grants(
        self, workspace_id: str, *, agent_id: str | None = None, skip: int = 0, limit: int = 50
    ) -> tuple[Sequence[Grant], int]:
        mine = self._of(workspace_id, self._tables.grants)
        found = [grant for grant in mine if agent_id in (None, grant.agent_id)]
        found.sort(key=lambda grant: grant.id)
        return _page(found, skip, limit)

    async def revoke_grant(self, workspace_id: str, grant_id: str, at: float) -> bool:
        grant = self._tables.grants.get((workspace_id, grant_id))
        if grant is None or grant.revoked_at is not None:
            return False
        self._tables.grants[workspace_id, grant_id] = replace(grant, revoked_at=at)
        return True

    # -- counts, erasure, outbox --------------------------------------------------------------------------------

    async def counts(self, workspace_id: str, now: float) -> WorkspaceCounts:
        entries = [session.entry for session in self._of(workspace_id, self._tables.sessions)]
        _, pending = await self.requests(workspace_id, status=RequestStatus.PENDING, limit=0)
        made = [t.at for t in self._of(workspace_id, self._tables.turns) if t.kind is TurnKind.DECISION]
        return WorkspaceCounts(
            permits=sum(entry.permits for entry in entries),
            denials=sum(entry.denials for entry in entries),
            defers=sum(entry.defers for entry in entries),
            errors=sum(entry.errors for entry in entries),
            drifts=sum(entry.drifts for entry in entries),
            pending_approvals=pending,
            sessions=len(entries),
            active_sessions=sum(entry.closed_at is None for entry in entries),
            last_minute=sum(at > now - 60 for at in made),
            last_hour=sum(at > now - 3600 for at in made),
        )

    async def erase(self, workspace_id: str, receipt_id: str) -> bool:
        turn = await self.receipt(workspace_id, receipt_id)
        if turn is None:
            return False
        self._tables.erase(workspace_id, turn.action.id)
        self._actions.forget(workspace_id, turn.action.id)
        return True

    async def events(self, sink: str, limit: int) -> Sequence[QueuedEvent]:
        after = self._tables.cursors.get(sink, 0)
        return [queued for queued in self._tables.outbox if queued.id > after][:limit]

    async def acknowledge(self, sink: str, last_id: int) -> None:
        self._tables.cursors[sink] = max(last_id, self._tables.cursors.get(sink, 0))

    async def prune_events(self, sinks: Sequence[str]) -> int:
        everyone_has = min((self._tables.cursors.get(sink, 0) for sink in sinks), default=0)
        kept = [queued for queued in self._tables.outbox if queued.id > everyone_has]
        gone, self._tables.outbox = len(self._tables.outbox) - len(kept), kept
        return gone

    async def prune_counters(self, now: float) -> None:
        counters = self._tables.counters
        self._tables.counters = {at: c for at, c in counters.items() if not 0 < c.window_end < now}

    @staticmethod
    def _of(workspace_id: str, table: dict[tuple[str, str], T]) -> Iterable[T]:
        return [value for (workspace, _), value in table.items() if workspace == workspace_id]


def _page(oldest_first: list[T], skip: int, limit: int) -> tuple[list[T], int]:
    return oldest_first[::-1][skip : skip + limit], len(oldest_first)
