"""What one step of a governed action leaves behind: written whole or not at all."""

from enum import StrEnum
from typing import Any

from msgspec import Struct

from mutx.governance.types import ApprovalSpec, Caller, Decision, Effect, Facts, NormalizedAction


class TurnKind(StrEnum):
    DECISION = "decision"
    RESOLUTION = "resolution"
    OUTCOME = "outcome"


class OutcomeStatus(StrEnum):
    """What became of an action. `UNKNOWN`: allowed, and nobody ever said what happened."""

    EXECUTED = "executed"
    ERROR = "error"
    BLOCKED = "blocked"
    WAITING = "waiting"
    UNKNOWN = "unknown"


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the caller says came of an allowed action."""

    status: OutcomeStatus
    result: Any = None
    """The tool's result, any JSON value; stands in the receipt as a salted commitment."""
    error: str | None = None
    duration_ms: int | None = None


class RequestKind(StrEnum):
    STEP_UP = "step_up"
    DEFER = "defer"


class RequestStatus(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


class Verdict(StrEnum):
    APPROVE = "approve"
    DENY = "deny"
    CANCEL = "cancel"
    EXPIRE = "expire"
    CONTEXT = "context"
    """Fresh facts answered a deferral; no person did."""


class Vote(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    verdict: Verdict
    by: str
    """Principal id of the person; `system` for expiry and fresh context."""
    display: str = ""
    at: float
    comment: str = ""
    own_request: bool = False
    """The voter is the human the agent acts for; only where the workspace allows it."""


class ApprovalRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A question put to people about one exact action. PENDING -> APPROVED | DENIED | EXPIRED | CANCELLED."""

    id: str
    token: str
    kind: RequestKind
    status: RequestStatus
    workspace_id: str
    session_id: str
    action_id: str
    action_hash: str
    tool_name: str
    agent_id: str
    user_id: str
    reason: str
    asks: tuple[str, ...]
    spec: ApprovalSpec
    created_at: float
    expires_at: float
    escalates_at: float | None = None
    escalated_at: float | None = None
    depends_on: tuple[str, ...] = ()
    depth: int = 0
    order: int = 0
    """Sequence number of the waiting decision in its session; releases go in this order."""
    votes: tuple[Vote, ...] = ()
    decided_at: float | None = None
    decided_by: str | None = None
    satisfied: tuple[str, ...] = ()
    """What earlier requests for this action already satisfied (a changed policy asks anew)."""
    revision: int = 0
    """Fencing number: a write names the revision it read."""


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A sealed receipt: its DSSE envelope as canonical JSON bytes and what indexes it."""

    id: str
    hash: str
    """SHA-256 of `envelope`, 64 hex digits: what the session's next receipt links to."""
    envelope: bytes


class Sealed(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Values that stand in a receipt as salted commitments and lie beside it until erased."""

    args: dict[str, Any] | None = None
    args_salt: str | None = None
    action_hash: str | None = None
    """A plain hash would let low-entropy arguments be guessed, so it is committed to as well."""
    critical: tuple[str, ...] = ()
    """Values of `decision.critical`, in that order."""
    modified_args: dict[str, Any] | None = None
    modified_salt: str | None = None
    result: Any = None
    error: str | None = None
    result_salt: str | None = None


class PermitRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    id: str
    args_hash: str
    expires_at: float
    audience: str


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """News for the outbox: `aarm.*` of turns and requests (see `telemetry`), `audit.*` of everything that is no turn."""

    topic: str
    workspace_id: str
    at: float
    payload: dict[str, Any]


class Turn(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Action, context delta, decision, approval, receipt and events of one step, in one write."""

    kind: TurnKind
    id: str
    workspace_id: str
    session_id: str
    seq: int
    """1-based position in the session's chain."""
    prev: str
    """Hash of the session's previous receipt: the head this turn was decided on."""
    at: float
    action: NormalizedAction
    caller: Caller
    facts: Facts
    decision: Decision
    delta: bytes
    """The context delta as `ContextAccumulator.encode_delta` wrote it."""
    receipt: Receipt
    sealed: Sealed
    outcome: Outcome | None = None
    requests: tuple[ApprovalRequest, ...] = ()
    """New or changed requests, each with the revision it replaces plus one."""
    permit: PermitRecord | None = None
    grant_id: str | None = None
    """A standing grant whose use count this turn spends."""
    new_grants: tuple["Grant", ...] = ()
    events: tuple[Event, ...] = ()


class Grant(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A standing grant: satisfies the step_up of `rules` for an agent and a tool until it expires or is used up."""

    id: str
    workspace_id: str
    agent_id: str
    tool_name: str
    rules: tuple[str, ...]
    granted_by: str
    created_at: float
    expires_at: float
    uses_left: int
    revoked_at: float | None = None


class ActionState(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where an action stands, as the ledger has it."""

    action: NormalizedAction
    decision: Decision
    """The latest: a resolution replaces the waiting one."""
    caller: Caller
    seq: int
    """Sequence number of the first decision."""
    receipt_id: str
    permit: PermitRecord | None = None
    redeemed_at: float | None = None
    request: ApprovalRequest | None = None
    outcome: Outcome | None = None
    outcome_receipt_id: str | None = None

    @property
    def effect(self) -> Effect:
        return self.decision.effect
