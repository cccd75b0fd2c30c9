"""What a ledger in a database answers beside appends: turns, actions, requests, grants, views, and the outbox."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from mutx.governance.turn import ActionState, ApprovalRequest, Event, Grant, RequestStatus, Turn
from mutx.storage import ledger_reads as reads
from mutx.storage import ledger_writes as writes
from mutx.storage.actions import RecentActions
from mutx.storage.statements import Statements, UnitOfWrites
from mutx.storage.views import QueuedEvent, SessionEntry, TurnFilter, WorkspaceCounts

P = ParamSpec("P")
T = TypeVar("T")


class RunsReads(Protocol):
    """Runs a query over a connection."""

    def __call__(
        self, query: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]: ...


class RunsWrites(Protocol):
    """Runs writes in a transaction."""

    def execute(self, run: Callable[[UnitOfWrites], Any]) -> Awaitable[Any]: ...


class StoredRecords:
    """Everything of a `LedgerStore` that needs no session state."""

    _writer: RunsWrites
    _read: RunsReads
    _actions: RecentActions

    async def turns(self, workspace_id: str, session_id: str, *, after: int = 0, limit: int = 100) -> Sequence[Turn]:
        return await self._read(reads.turns, workspace_id, session_id, after, limit)

    async def is_empty(self) -> bool:
        return await self._read(reads.is_empty)

    async def action(self, workspace_id: str, action_id: str) -> ActionState | None:
        known = self._actions.get(workspace_id, action_id)
        return known or await self._read(reads.action, workspace_id, action_id)

    async def redeem(self, workspace_id: str, action_id: str, permit_id: str, at: float) -> bool:
        spent = await self._write(writes.REDEEM, workspace_id, action_id, permit_id, at)
        if spent:
            self._actions.redeemed(workspace_id, action_id, at)
        return bool(spent)

    async def request(self, workspace_id: str, request_id: str) -> ApprovalRequest | None:
        return await self._read(reads.request, workspace_id, request_id)

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
        return await self._read(reads.requests, workspace_id, status, session_id, agent_id, skip, limit)

    async def due(self, now: float, limit: int = 100) -> Sequence[ApprovalRequest]:
        return await self._read(reads.due, now, limit)

    async def save_request(self, request: ApprovalRequest, events: Sequence[Event]) -> None:
        await self._writer.execute(lambda batch: writes.write_request(batch, request, events))
        self._actions.asked(request)

    async def grants(self, workspace_id: str, agent_id: str, tool_name: str, now: float) -> Sequence[Grant]:
        return await self._read(reads.grants, workspace_id, agent_id, tool_name, now)

    async def add_grant(self, grant: Grant) -> None:
        await self._writer.execute(lambda batch: writes.write_grant(batch.connection, grant))

    async def list_grants(
        self, workspace_id: str, *, agent_id: str | None = None, skip: int = 0, limit: int = 50
    ) -> tuple[Sequence[Grant], int]:
        return await self._read(reads.list_grants, workspace_id, agent_id, skip, limit)

    async def revoke_grant(self, workspace_id: str, grant_id: str, at: float) -> bool:
        return bool(await self._write(writes.REVOKE_GRANT, at, workspace_id, grant_id))

    async def receipt(self, workspace_id: str, receipt_id: str) -> Turn | None:
        return await self._read(reads.receipt, workspace_id, receipt_id)

    async def audit(
        self, workspace_id: str, which: TurnFilter, *, skip: int = 0, limit: int = 50
    ) -> tuple[Sequence[Turn], int]:
        return await self._read(reads.audit, workspace_id, which, skip, limit)

    async def erase(self, workspace_id: str, receipt_id: str) -> bool:
        turn = await self.receipt(workspace_id, receipt_id)
        if turn is None:
            return False
        await self._write(writes.ERASE, workspace_id, turn.action.id)
        self._actions.forget(workspace_id, turn.action.id)
        return True

    async def sessions(
        self,
        workspace_id: str,
        *,
        agent_id: str | None = None,
        active: bool | None = None,
        skip: int = 0,
        limit: int = 50,
    ) -> tuple[Sequence[SessionEntry], int]:
        return await self._read(reads.sessions, workspace_id, agent_id, active, skip, limit)

    async def session(self, workspace_id: str, session_id: str) -> SessionEntry | None:
        return await self._read(reads.session, workspace_id, session_id)

    async def unconcluded(self, workspace_id: str, now: float, limit: int = 50) -> Sequence[ActionState]:
        return await self._read(reads.unconcluded, workspace_id, now, limit)

    async def counts(self, workspace_id: str, now: float) -> WorkspaceCounts:
        return await self._read(reads.counts, workspace_id, now)

    async def events(self, sink: str, limit: int) -> Sequence[QueuedEvent]:
        return await self._read(reads.events, sink, limit)

    async def acknowledge(self, sink: str, last_id: int) -> None:
        await self._write(writes.ACKNOWLEDGE, sink, last_id)

    async def prune_events(self, sinks: Sequence[str]) -> int:
        if not sinks:
            return 0
        return await self._write(writes.PRUNE_EVENTS.format(", ".join(["(?)"] * len(sinks))), *sinks)

    async def prune_counters(self, now: float) -> None:
        await self._write(writes.EXPIRED_COUNTERS, now)

    async def _write(self, statement: str, *values: object) -> int:
        """One statement in the next transaction; returns how many rows it changed."""
        return int(await self._writer.execute(lambda batch: batch.connection.execute(statement, values).rowcount))
