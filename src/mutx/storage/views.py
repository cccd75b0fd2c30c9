"""What operators ask of the ledger beside the engine's port: audit, receipts, sessions, counts, events."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct

from mutx.governance.ports import Ledger, SessionState
from mutx.governance.turn import ActionState, Event, Grant, Turn, TurnKind


class TurnFilter(Struct, frozen=True, kw_only=True):
    """Which turns of a workspace. Times are seconds, `since` included, `until` not."""

    session_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    """The human acted for, or the one who answered the question."""
    action_id: str | None = None
    kind: TurnKind | None = None
    since: float | None = None
    until: float | None = None

    def matches(self, turn: Turn) -> bool:
        """What the ledger's query says, of one turn in hand."""
        return (
            self.session_id in (None, turn.session_id)
            and self.agent_id in (None, turn.action.agent_id)
            and self.user_id in (None, turn.action.user_id, decided_by(turn))
            and self.action_id in (None, turn.action.id)
            and self.kind in (None, turn.kind)
            and (self.since is None or turn.at >= self.since)
            and (self.until is None or turn.at < self.until)
        )


def decided_by(turn: Turn) -> str | None:
    """Who answered the question that this turn resolves: a person's id or `system`."""
    return turn.requests[0].decided_by if turn.requests else None


class SessionEntry(Struct, frozen=True):
    """A session as a list shows it."""

    session_id: str
    agent_id: str
    user_id: str
    head: str
    seq: int
    permits: int
    denials: int
    defers: int
    errors: int
    drifts: int
    created_at: float
    updated_at: float
    closed_at: float | None


class WorkspaceCounts(Struct, frozen=True, kw_only=True):
    """A workspace in numbers."""

    permits: int = 0
    denials: int = 0
    defers: int = 0
    errors: int = 0
    drifts: int = 0
    pending_approvals: int = 0
    sessions: int = 0
    active_sessions: int = 0
    last_minute: int = 0
    """Decisions in the 60 s before the moment asked for."""
    last_hour: int = 0

    @property
    def evaluations(self) -> int:
        return self.permits + self.denials + self.defers


class QueuedEvent(Struct, frozen=True):
    """An event in the outbox, with its place in it."""

    id: int
    event: Event


class Outbox(Protocol):
    """News in the order in which it was committed. A sink reads on from its own cursor."""

    async def events(self, sink: str, limit: int) -> Sequence[QueuedEvent]:
        """What `sink` has not acknowledged yet, oldest first; a sink never seen before starts at the oldest event."""

    async def acknowledge(self, sink: str, last_id: int) -> None:
        """`sink` has everything up to `last_id`."""

    async def prune_events(self, sinks: Sequence[str]) -> int:
        """Delete what all of `sinks` have acknowledged; returns how many."""


class LedgerStore(Ledger, Outbox, Protocol):
    """The whole ledger: both shipped implementations pass `tests/conformance`."""

    async def start(self) -> None:
        """Begin, on the event loop that will call it."""

    async def stop(self) -> None:
        """Write what is queued, then let go of what the ledger holds beside its database."""

    async def is_empty(self) -> bool:
        """Whether no receipt was ever recorded here."""

    async def create_session(self, state: SessionState) -> bool:
        """Store a session that has no turn yet, its context included. False if the session exists."""

    async def receipt(self, workspace_id: str, receipt_id: str) -> Turn | None:
        """The turn that a receipt sealed."""

    async def audit(
        self, workspace_id: str, which: TurnFilter, *, skip: int = 0, limit: int = 50
    ) -> tuple[Sequence[Turn], int]:
        """Turns across sessions, newest first, and how many there are in all."""

    def export(self, workspace_id: str, session_id: str) -> AsyncIterator[Turn]:
        """Every turn of a session in order, read in pages."""

    async def sessions(
        self,
        workspace_id: str,
        *,
        agent_id: str | None = None,
        active: bool | None = None,
        skip: int = 0,
        limit: int = 50,
    ) -> tuple[Sequence[SessionEntry], int]:
        """Newest first, and how many there are in all."""

    async def session(self, workspace_id: str, session_id: str) -> SessionEntry | None: ...

    async def unconcluded(self, workspace_id: str, now: float, limit: int = 50) -> Sequence[ActionState]:
        """Allowed actions whose permit has expired and of which nobody said what became, newest first."""

    async def counts(self, workspace_id: str, now: float) -> WorkspaceCounts: ...

    async def erase(self, workspace_id: str, receipt_id: str) -> bool:
        """Erase the arguments and results of a receipt's action, wherever its turns hold them. Receipts still verify.

        False if there is no such receipt.
        """

    async def add_grant(self, grant: Grant) -> None: ...

    async def list_grants(
        self, workspace_id: str, *, agent_id: str | None = None, skip: int = 0, limit: int = 50
    ) -> tuple[Sequence[Grant], int]:
        """Every grant ever made, newest first, and how many."""

    async def revoke_grant(self, workspace_id: str, grant_id: str, at: float) -> bool:
        """False if there is none, or it was revoked before."""

    async def prune_counters(self, now: float) -> None:
        """Forget counters whose window is over."""
