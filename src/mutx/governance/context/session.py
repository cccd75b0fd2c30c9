"""The state of one session. Only `ContextAccumulator.apply` changes it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from mutx.governance.context.told import ToldValue, told
from mutx.governance.intent import Pressure, Scope, scope_of
from mutx.governance.provenance import Hasher, Provenance, ProvenanceIndex, Tracer
from mutx.governance.provenance_text import phrase
from mutx.governance.requested import features
from mutx.governance.tools import Access, ToolSchema
from mutx.governance.turn import OutcomeStatus
from mutx.governance.types import Confidentiality, Effect, IntentSignal, Label, Origin, ReasonCode

GENESIS = "0" * 64


class ActionRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One earlier action, without its arguments (those lie beside its receipt)."""

    id: str
    tool_name: str
    operation: str
    action_hash: str
    timestamp: float
    effect: Effect
    reason_code: ReasonCode
    status: OutcomeStatus | None = None
    output: Label | None = None
    """Set once the action concluded."""


class DataAccess(Struct, frozen=True, kw_only=True, gc=False):
    """Data that a concluded action touched."""

    resource_type: str
    resource_id: str
    access_time: float
    access_type: Access
    sensitive: bool


class PendingOutput(Struct, frozen=True, gc=False):
    """An action that may run, or waits to, and has not concluded: what its output counts as."""

    label: Label
    may_run: bool


class ToolRuns(Struct, frozen=True, gc=False):
    """How often a tool was allowed to run, and as the how-manieth run of the session first and last."""

    count: int
    first: int
    last: int


class SessionCounters(Struct, kw_only=True):
    """Whole-session counts; compaction leaves them alone."""

    tool_call_count: int = 0
    permit_count: int = 0
    """Allowed by a decision or a release, as the next three."""
    denied_count: int = 0
    defer_count: int = 0
    """Made to wait: step_up and defer."""
    modified_count: int = 0
    error_count: int = 0
    """Concluded with an error."""


class SessionContext(Struct, kw_only=True, dict=True):
    """What the session has done, holds and was asked for. Times: seconds since the epoch."""

    workspace_id: str
    session_id: str
    agent_id: str
    user_id: str
    created_at: float
    updated_at: float
    hash: str = GENESIS
    """Head of the chain of deltas: SHA-256 of (previous hash, delta), 64 hex digits."""
    original_request: str | None = None
    stated_intent: str | None = None
    actions: list[ActionRecord] = field(default_factory=list)
    """The latest; never more than `apply.MAX_RECORDS`."""
    data_accessed: list[DataAccess] = field(default_factory=list)
    counters: SessionCounters = field(default_factory=SessionCounters)
    tool_last_at: dict[str, float] = field(default_factory=dict)
    """Tool -> when it was last allowed to run; in that order."""
    runs: dict[str, ToolRuns] = field(default_factory=dict)
    """Tool -> its runs; the tools are those of `tool_last_at`."""
    run_count: int = 0
    runs_forgotten_until: float | None = None
    """When the latest run was that `runs` and `tool_last_at` no longer tell of; None: they tell of all."""
    denied_at: list[float] = field(default_factory=list)
    """When the latest denials were; never more than `apply.MAX_DENIALS`."""
    phase: str | None = None
    """The phase of the workflow that was last entered by a call; None: none was."""
    phase_at: float = 0.0
    confidentiality: Confidentiality = Confidentiality.PUBLIC
    """The highest of all concluded outputs."""
    untrusted_seen: bool = False
    """Untrusted output was concluded."""
    pending: dict[str, PendingOutput] = field(default_factory=dict)
    """Actions decided and not concluded, oldest first."""
    assumed: Label = Label(Confidentiality.PUBLIC, trusted=True)
    """Strictest label among `pending` actions that may run: the agent may hold their output without telling."""
    unreported: bool = False
    """Untrusted output reached the agent and was never shown here."""
    drift: float = 0.0
    """Moving average of the distances of its actions from the request."""
    farthest: float = 0.0
    """The greatest of those distances."""
    intent: IntentSignal = IntentSignal.UNKNOWN
    intent_signals: list[IntentSignal] = field(default_factory=list)
    signals: dict[str, int] = field(default_factory=dict)
    """What guardrails found in this session's texts -> how often; never more than `apply.MAX_SIGNALS`."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Action id -> depth of actions not yet released."""
    provenance: ProvenanceIndex = field(default_factory=ProvenanceIndex)

    @property
    def last_action_tool(self) -> str | None:
        return self.actions[-1].tool_name if self.actions else None

    @property
    def recent_tool_sequence(self) -> list[str]:
        return [record.tool_name for record in self.actions[-10:]]

    @property
    def session_duration_seconds(self) -> float:
        return self.updated_at - self.created_at

    @property
    def held_confidentiality(self) -> Confidentiality:
        """The most confidential data the agent holds, or may hold by now."""
        return max(self.confidentiality, self.assumed.confidentiality)

    @property
    def holds_untrusted(self) -> bool:
        return self.untrusted_seen or not self.assumed.trusted

    def origin(self, value: Any, *, fields: bool = False) -> Provenance:
        """Where a value came from: see `Tracer`."""
        return self._tracer(fields=fields).trace(value)

    def told(self, args: Mapping[str, Any], schema: ToolSchema) -> ToldValue | None:
        """What in the arguments untrusted output told its reader to do: see `told`."""
        return told(args, schema, self.provenance, self.hasher, self._tracer(fields=False))

    def _tracer(self, *, fields: bool) -> Tracer:
        hidden = self.provenance.dropped or self.unreported or not self.assumed.trusted
        unknown = Origin.UNTRUSTED if hidden else Origin.NOWHERE
        return Tracer(self.provenance, self.hasher, self.request_phrase, unknown, fields=fields)

    @cached_property
    def hasher(self) -> Hasher:
        return Hasher(self.workspace_id, self.session_id)

    @cached_property
    def request_phrase(self) -> str:
        return phrase(self.original_request or "")

    @cached_property
    def features(self) -> frozenset[str]:
        """What the request mentions, for `requested_by`."""
        return features(self.original_request)

    @property
    def scope(self) -> Scope | None:
        """What the request accounts for; None: there is no request to compare with."""
        return self._scope if self.original_request or self.stated_intent else None

    @cached_property
    def _scope(self) -> Scope:
        return scope_of(self.original_request, self.stated_intent)

    def pressure(self, outward: bool) -> Pressure:
        counters = self.counters
        return Pressure(counters.tool_call_count, counters.denied_count, counters.error_count, outward)
