"""What the engine needs from the outside world. Each port has two shipped implementations and one suite."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from mutx.governance.context import SessionContext
from mutx.governance.hops import Chain
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.turn import ActionState, ApprovalRequest, Event, Grant, RequestStatus, Turn
from mutx.governance.types import Caller, MeasuredDistance

Paused = Callable[[str, str], bool]
"""Whether an agent of a workspace is paused for how it behaves. Quick, from memory; never touches the store."""


class SessionState:
    """One session as this process knows it: its context and the head its next turn must name.

    Owned by the ledger's cache. `context` changes only through `ContextAccumulator.apply`; when an append fails,
    the ledger drops the whole state and the next `load` reads it from the store again.
    """

    __slots__ = ("closed_at", "context", "head", "last_at", "seq", "since_snapshot", "snapshot_size")

    def __init__(self, context: SessionContext, head: str, seq: int, last_at: float, closed_at: float | None) -> None:
        self.context = context
        self.head = head
        self.seq = seq
        self.last_at = last_at
        self.closed_at = closed_at
        self.snapshot_size = 0
        """Bytes of the context when the ledger last stored it whole."""
        self.since_snapshot = 0
        """Bytes of the deltas stored after that."""


class Ledger(Protocol):
    """The only durable record of turns. Every answer leaves after its append is on disk."""

    def cached(self, workspace_id: str, session_id: str) -> SessionState | None:
        """The session if this process holds it; never touches the store."""

    async def load(self, workspace_id: str, session_id: str) -> SessionState:
        """The session from cache or store; an unknown one is new and empty, and stored with its first turn."""

    def append(self, state: SessionState, turn: Turn) -> Awaitable[None]:
        """Advance `state` to `turn` at once and queue the write; await the result to know that it is on disk.

        The write checks, in one transaction: the session's head is `turn.prev`, no other decision has this action
        id, every charge stays within its limit, every request has the revision it replaces, the grant has uses left.
        A second outcome for an action is a DuplicateAction as well; an outcome spends the action's permit.
        Raises HeadMoved, DuplicateAction, LimitMoved, RequestMoved or LedgerUnavailable/StorageFull; on any of them
        nothing of the turn is stored and `state` is dropped from the cache.
        """

    def counter(self, workspace_id: str, key: str) -> int:
        """A counter's value including appends under way; 0 if unknown."""

    async def action(self, workspace_id: str, action_id: str) -> ActionState | None: ...

    async def redeem(self, workspace_id: str, action_id: str, permit_id: str, at: float) -> bool:
        """Mark a permit as spent, durably. False if it already was."""

    async def request(self, workspace_id: str, request_id: str) -> ApprovalRequest | None:
        """By id or by token."""

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
        """Newest first, and how many there are in all."""

    async def due(self, now: float, limit: int = 100) -> Sequence[ApprovalRequest]:
        """Pending requests of every workspace whose expiry or escalation time has come."""

    async def save_request(self, request: ApprovalRequest, events: Sequence[Event]) -> None:
        """Store a change that is no turn (a vote short of the quorum, an escalation); checks the revision.

        Raises RequestMoved if another writer changed it first.
        """

    async def grants(self, workspace_id: str, agent_id: str, tool_name: str, now: float) -> Sequence[Grant]:
        """Standing grants that are neither expired, revoked nor used up."""

    async def turns(self, workspace_id: str, session_id: str, *, after: int = 0, limit: int = 100) -> Sequence[Turn]:
        """Turns in order, `seq > after`. Erased values are None in `sealed`."""

    async def close_session(self, workspace_id: str, session_id: str, at: float) -> bool: ...


class Signer(Protocol):
    """Holds a private key and nothing else."""

    @property
    def key_id(self) -> str: ...

    def sign(self, message: bytes) -> bytes:
        """Ed25519 over `message`: 64 bytes."""

    def derive(self, purpose: bytes) -> bytes:
        """32 secret bytes for another use (HKDF-SHA256 of the private key); the same for the same key and purpose."""


class Sink(Protocol):
    """Somewhere that events go. May be slow or dead; the outbox waits for it."""

    name: str
    topics: frozenset[str] | None
    """What it wants: whole topics, and families that end in a dot (`audit.`); None: everything."""

    async def send(self, events: Sequence[Event]) -> None:
        """Deliver, or raise: then the same events come again later."""


class Identities(Protocol):
    """Freshness of an identity, asked again at release (AARM R6)."""

    async def current(self, caller: Caller) -> Caller | None:
        """The caller with today's roles and scopes; None if its key, user or agent was revoked."""

    async def may_approve_own(self, workspace_id: str) -> bool:
        """Whether people of this workspace may approve what an agent asks in their own name."""


class Delegations(Protocol):
    """What agents have handed one another. Kept by the control plane; every hop is looked up for every call."""

    async def open(self, token: str, workspace_id: str) -> Chain:
        """The chain in a token. Raises VerificationFailed where it was not signed here, for this workspace."""

    async def broken(self, workspace_id: str, chain: Chain) -> str | None:
        """Why the chain holds no more: a hop was revoked, or who handed on the first has lost the right; None if it holds."""


class Embedder(Protocol):
    """A model that says how far an action is from a request. It must answer within its own time limit."""

    async def measure(self, request: str, action: str) -> MeasuredDistance:
        """Never raises: without an answer the distance is None."""


class Policies(Protocol):
    """The policy store as the engine sees it: one compiled engine per workspace, swapped whole."""

    def current(self, workspace_id: str) -> PolicyEngine | None:
        """The engine in force if this process holds it; never touches the store."""

    async def load(self, workspace_id: str) -> PolicyEngine: ...
