"""The vocabulary of a governed action: plain immutable values, nothing here does anything.

Values are `msgspec.Struct`s because the hot path makes a dozen of them per decision (ADR 0002).
Effects follow AARM (docs of 2026-03-26, R4: five decisions); requirement ids live in `compliance.py`.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any

from msgspec import Struct, field

from mutx.governance.hops import Chain


class Effect(StrEnum):
    """What is to happen to a tool call (AARM R4, 2026-03-26)."""

    ALLOW = "allow"
    DENY = "deny"
    MODIFY = "modify"
    STEP_UP = "step_up"
    DEFER = "defer"

    runs: bool
    """The call may go on, as it is or modified."""
    waits: bool
    """Somebody or something has to answer first."""

    def __init__(self, value: str) -> None:
        # attributes, not properties: every decision asks a dozen times
        self.runs = value in ("allow", "modify")
        self.waits = value in ("step_up", "defer")


STRICTNESS: Mapping[Effect, int] = {
    Effect.ALLOW: 0,
    Effect.MODIFY: 1,
    Effect.STEP_UP: 2,
    Effect.DEFER: 3,
    Effect.DENY: 4,
}


class ReasonCode(StrEnum):
    """Why. Every outcome of the precedence (DESIGN §2) has its own."""

    FORBIDDEN_RULE = "forbidden_rule"
    CRITICAL_RISK = "critical_risk"
    PARAMETER_VIOLATION = "parameter_violation"
    FORBIDDEN_FLOW = "forbidden_flow"
    FORBIDDEN_COMPOSITION = "forbidden_composition"
    RULE = "rule"
    RULE_CONFLICT = "rule_conflict"
    MISSING_CONTEXT = "missing_context"
    RATE_LIMITED = "rate_limited"
    BUDGET_EXCEEDED = "budget_exceeded"
    UNTRUSTED_ARGUMENT = "untrusted_argument"
    UNKNOWN_ARGUMENT = "unknown_argument"
    UNREQUESTED_ACTION = "unrequested_action"
    INSTRUCTED_BY_DATA = "instructed_by_data"
    INTENT_MISALIGNED = "intent_misaligned"
    DEFAULT = "default"
    STANDING_GRANT = "standing_grant"
    REQUIRES_APPROVAL = "requires_approval"
    APPROVED = "approved"
    APPROVAL_DENIED = "approval_denied"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_CANCELLED = "approval_cancelled"
    IDENTITY_REVOKED = "identity_revoked"
    NOT_PERMITTED = "not_permitted"
    DELEGATION_INVALID = "delegation_invalid"
    DELEGATION_SCOPE = "delegation_scope"
    DELEGATION_SPENT = "delegation_spent"
    DEPENDENCY_WAITING = "dependency_waiting"
    DEPENDENCY_DENIED = "dependency_denied"
    DEPENDENCY_DEPTH = "dependency_depth"
    META_TOOL_UNRESOLVED = "meta_tool_unresolved"
    OUT_OF_PHASE = "out_of_phase"
    SESSION_CLOSED = "session_closed"
    AGENT_PAUSED = "agent_paused"
    GUARDRAIL = "guardrail"
    TOO_MANY_WAITING = "too_many_waiting"
    ENGINE_ERROR = "engine_error"


class ActionCategory(StrEnum):
    """Static class of a tool (product reference §8). Feeds the precedence, never allows by itself."""

    FORBIDDEN = "forbidden"
    CONTEXT_DEPENDENT_DENY = "context_dependent_deny"
    CONTEXT_DEPENDENT_ALLOW = "context_dependent_allow"
    PERMIT = "permit"


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidentiality(IntEnum):
    PUBLIC = 0
    INTERNAL = 1
    CONFIDENTIAL = 2
    RESTRICTED = 3


class Origin(IntEnum):
    """Where a value first appeared. Higher is less trusted."""

    REQUEST = 0
    TRUSTED = 1
    UNTRUSTED = 2
    NOWHERE = 3


class IntentSignal(StrEnum):
    ALIGNED = "aligned"
    DRIFT_SUSPECTED = "drift_suspected"
    DRIFT_CONFIRMED = "drift_confirmed"
    UNKNOWN = "unknown"


class Door(StrEnum):
    HTTP = "http"
    UDS = "uds"
    MCP = "mcp"
    EMBEDDED = "embedded"


class PrincipalKind(StrEnum):
    PERSON = "person"
    API_KEY = "api_key"
    AGENT = "agent"
    SYSTEM = "system"


class LimitedVerb(StrEnum):
    ACT = "act"
    """Have an agent's tool call decided."""
    APPROVE = "approve"
    """Answer what an agent asks."""
    MANAGE = "manage"
    """Configure, command or delete an agent."""


class AccessLimit(Struct, frozen=True, gc=False):
    """One stored grant or denial, for a caller whom it is about."""

    id: str
    allows: bool
    verb: LimitedVerb
    agent: str
    """A glob over agent ids."""
    tool: str
    """A glob over tool names."""


class Caller(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who is asking, as the door verified it. Nothing in here was self-asserted."""

    workspace_id: str
    principal_id: str
    kind: PrincipalKind
    door: Door
    user_id: str
    """The human this principal is or acts for."""
    agent_id: str | None = None
    """Set for an agent's own key: calls may name no other agent."""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    method: str = "jwt"
    """How it was authenticated: jwt, api_key, agent_key, peer, local."""
    email: str = ""
    """The human's address: policies may name reviewers by it."""
    lane: str = ""
    """What a key of a coding agent is for; receipts name it."""
    limits: tuple[AccessLimit, ...] = ()
    """What was taken from this caller below its roles."""
    delegation: Chain = ()
    """Whose right it acts by, where it was handed one; verified, as the rest."""


class ToolCall(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A tool call as an agent sent it: untrusted in every field."""

    tool_name: str
    agent_id: str
    session_id: str
    tool_args: dict[str, Any] = field(default_factory=dict)
    action_id: str | None = None
    operation: str = "call"
    user_id: str | None = None
    service: str | None = None
    trigger: str = "manual"
    runtime: str = "mutx"
    parent_action_id: str | None = None
    depends_on: tuple[str, ...] = ()
    original_request: str | None = None
    """The user's request; taken for the session only by its first call, later ones are ignored."""
    stated_intent: str | None = None
    input_preview: str | None = None
    delegation: str | None = None
    """The token of a delegation that this call is made under."""


class NormalizedAction(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One tool call in the form every stage speaks. `action_hash`: see `ActionMediator`."""

    id: str
    tool_name: str
    operation: str
    tool_args: dict[str, Any]
    agent_id: str
    session_id: str
    user_id: str
    service: str | None
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    trigger: str
    runtime: str
    parent_action_id: str | None
    timestamp: float
    action_hash: str
    workspace_id: str
    depends_on: tuple[str, ...] = ()
    claimed_user_id: str | None = None
    """What the call said its user was, where that differs from the authenticated one."""
    called_as: str | None = None
    """The meta-tool the call came wrapped in."""
    meta_error: str | None = None
    """Why a meta-tool's inner call could not be read; the policy denies such an action."""
    input_preview: str | None = None


class Label(Struct, frozen=True, gc=False):
    """What is known of a piece of data."""

    confidentiality: Confidentiality = Confidentiality.RESTRICTED
    trusted: bool = False


class ArgumentOrigin(Struct, frozen=True, gc=False):
    """A critical argument's value and where it came from."""

    name: str
    value: str
    origin: Origin
    source: str | None = None
    """Tool and action that first mentioned it, as `tool#action-id`, where known."""


class RuleRef(Struct, frozen=True, gc=False):
    id: str
    name: str
    policy: str
    effect: Effect
    priority: int


class ApprovalSpec(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who has to say yes, and by when. Seconds."""

    roles: tuple[str, ...] = ("DEVELOPER", "ADMIN")
    users: tuple[str, ...] = ()
    quorum: int = 1
    timeout: float = 300.0
    escalate_after: float | None = 180.0
    escalate_to: tuple[str, ...] = ("ADMIN",)


class Charge(Struct, frozen=True, gc=False):
    """An amount to be taken from a limit in the same write as the turn."""

    key: str
    """`rate:<policy>/<rule>:<agent>:<window>` or `budget:...`; unique within a workspace."""
    amount: int
    """Calls, or budget units times 10**6 (micro-units), so that sums are exact."""
    limit: int
    window_end: float
    """Seconds since the epoch after which the counter may be dropped; 0 keeps it with the session."""


class Reading(Struct, frozen=True, gc=False):
    """A counter as the decision saw it; part of the facts."""

    key: str
    value: int


class GrantFact(Struct, frozen=True, gc=False):
    """A standing grant as the decision saw it."""

    id: str
    rules: tuple[str, ...]
    expires_at: float
    uses_left: int


class MeasuredDistance(Struct, frozen=True, gc=False):
    """How far an embedding model finds an action from its session's request."""

    by: str
    """The model."""
    distance: float | None
    """0 to 1; None: it gave no answer in time, and the lexical distance stands."""


class SessionNote(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a guardrail found in a text of a session. Names of what was found, never the text."""

    signals: tuple[str, ...]
    holds: Label | None = None
    """What the session holds from now on, where the finding says so."""
    refused: bool = False
    """The text may not go on."""
    reason: str = ""


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """All a decision depends on beside the action and the policy version. Stored with the turn."""

    context_hash: str
    now: float
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    principal_kind: PrincipalKind
    readings: tuple[Reading, ...] = ()
    grants: tuple[GrantFact, ...] = ()
    satisfied: tuple[str, ...] = ()
    """`policy/rule` ids, or reason codes, that a person's approval has satisfied."""
    waiting_on: tuple[str, ...] = ()
    """Actions this one depends on that still wait."""
    denied_parent: str | None = None
    depth: int = 0
    ask: bool = False
    """The caller itself asked that a person look at this."""
    ask_timeout: float | None = None
    """Seconds that the caller gives people for that; None: the default."""
    verdict: str | None = None
    """A `Verdict`, in a resolution."""
    revoked: bool = False
    """The identity that asked is no longer valid."""
    closed: bool = False
    """The session was closed before."""
    forbidden: str | None = None
    """The permission that keeps this caller from acting for this agent with this tool."""
    args_hash: str | None = None
    """Hash of the arguments that the approver saw; others open a new request."""
    delegation: Chain = ()
    """The hops under which the call is made, the first one first."""
    undelegated: str | None = None
    """Why the delegation that the call names does not hold."""
    paused: bool = False
    """The agent was paused for how it behaves, and nobody has resumed it."""
    measured: MeasuredDistance | None = None
    """By the embedding model, where the installation has one."""
    noted: SessionNote | None = None
    """This turn is no call of an agent's: a guardrail found something."""


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was decided and why: an answer with its diagnostics, never an exception."""

    effect: Effect
    reason_code: ReasonCode
    reason: str
    policy_version: str
    rule: RuleRef | None = None
    matched: tuple[RuleRef, ...] = ()
    """Every rule that applied at the deciding priority, and the forbidding or warning ones."""
    modified_args: dict[str, Any] | None = None
    modifications: tuple[str, ...] = ()
    """What was changed, without values: `redact body (ssn x1)`."""
    missing: tuple[str, ...] = ()
    """Fields a condition needed and did not find."""
    read: tuple[str, ...] = ()
    """Fields that conditions read."""
    critical: tuple[ArgumentOrigin, ...] = ()
    approval: ApprovalSpec | None = None
    asks: tuple[str, ...] = ()
    """What an approval of this decision satisfies: `policy/rule` ids or reason codes."""
    charges: tuple[Charge, ...] = ()
    readings: tuple[Reading, ...] = ()
    alerts: tuple[str, ...] = ()
    """`policy/rule` ids of warn rules: the call goes on and an alert is raised."""
    notify: tuple[str, ...] = ()
    """Who the deciding rules want told."""
    risk: Risk = Risk.LOW
    category: ActionCategory = ActionCategory.CONTEXT_DEPENDENT_ALLOW
    intent: IntentSignal = IntentSignal.UNKNOWN
    grant_id: str | None = None
