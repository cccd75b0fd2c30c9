"""What a PolicySet document says, as values. `grammar.py` reads them, `compile.py` compiles them."""

from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from mutx.governance.policy.conditions import Condition
from mutx.governance.tools import ToolSchema
from mutx.governance.types import ApprovalSpec, Confidentiality, Effect


class RuleEffect(StrEnum):
    """What a rule may say. `warn` allows and raises an alert."""

    ALLOW = "allow"
    DENY = "deny"
    MODIFY = "modify"
    STEP_UP = "step_up"
    DEFER = "defer"
    WARN = "warn"

    @property
    def effect(self) -> Effect:
        return Effect.ALLOW if self is RuleEffect.WARN else Effect(self.value)


class StepKind(StrEnum):
    SET = "set"
    REMOVE = "remove"
    REDACT = "redact"
    TRUNCATE = "truncate"
    CAP = "cap"


class ModifyStep(Struct, frozen=True, kw_only=True):
    """One change to the arguments. `path` is dotted; `[*]` stands for every item of an array."""

    kind: StepKind
    path: str
    value: Any = None
    """For `set`: what the argument becomes."""
    detectors: tuple[str, ...] = ()
    pattern: str | None = None
    """For `redact`: RE2, beside or instead of detectors."""
    replacement: str | None = None
    """None: `[REDACTED:<detector>]`."""
    max: float = 0
    """For `truncate`: characters; for `cap`: the largest number let through."""


class RuleMatch(Struct, frozen=True, kw_only=True):
    """Globs over names; `*` stands for any run of characters."""

    tool: str = "*"
    agent: str = "*"
    session: str = "*"


class RatePeriod(StrEnum):
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    SESSION = "session"


class RuleRate(Struct, frozen=True, kw_only=True):
    """Calls of one agent that the rule lets through."""

    per_second: int | None = None
    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    per_session: int | None = None
    on_exceed: Effect = Effect.DENY

    def limits(self) -> dict[RatePeriod, int]:
        """What is limited, by period."""
        every = {period: getattr(self, f"per_{period}") for period in RatePeriod}
        return {period: most for period, most in every.items() if most is not None}


class BudgetPeriod(StrEnum):
    SESSION = "session"
    HOUR = "hour"
    DAY = "day"


class RuleBudget(Struct, frozen=True, kw_only=True):
    """A sum that one agent's calls may reach under the rule in a period."""

    amount: Condition
    """A number: an argument path or a CEL expression."""
    limit: float
    per: BudgetPeriod = BudgetPeriod.SESSION
    on_exceed: Effect = Effect.DENY
    warn_at: float | None = None
    """Share of the limit at which the call that reaches it raises an alert."""


class PolicyRule(Struct, frozen=True, kw_only=True):
    """One rule, with the line it stands on."""

    id: str
    effect: RuleEffect
    name: str = ""
    enabled: bool = True
    priority: int = 100
    """Lower is evaluated first."""
    match: RuleMatch = RuleMatch()
    when: Condition | None = None
    final: bool = False
    """A deny that nothing overrides."""
    modify: tuple[ModifyStep, ...] = ()
    approval: ApprovalSpec = ApprovalSpec()
    rate: RuleRate | None = None
    budget: RuleBudget | None = None
    require_alignment: bool = False
    """Ask a person at least, while the session has drifted from its request."""
    notify: tuple[str, ...] = ()
    """Who is to hear of what it decided; the news of the decision names them."""
    reason: str = ""
    line: int = 0


class Earlier(Struct, frozen=True, kw_only=True):
    """What must have happened in the session before: a tool call, or data with a label."""

    tool: str | None = None
    confidentiality: Confidentiality | None = None
    """At least this."""
    untrusted: bool = False


class Composition(Struct, frozen=True, kw_only=True):
    """A combination of steps that is forbidden although each alone may be allowed."""

    id: str = ""
    """Numbered by its place if it has none."""
    after: Earlier
    then: str
    """Glob of the tool that may not follow."""
    within: float | None = None
    """Seconds; None: ever in the session."""
    reason: str = ""
    line: int = 0


class IntentEffects(Struct, frozen=True, kw_only=True):
    """What a session that drifts from its request may still do: the stricter of this and the outcome."""

    suspected: Effect = Effect.ALLOW
    confirmed: Effect = Effect.ALLOW
    profile: str | None = None
    """Whose thresholds say when a session drifts: `intent.THRESHOLDS`; None leaves it to other policies."""


class AgentDefault(Struct, frozen=True, kw_only=True):
    """What a call gets that no rule decides, for the agents of a glob, in place of the document's default."""

    agent: str
    effect: Effect


class Phase(Struct, frozen=True, kw_only=True):
    """A stretch of a workflow with the tools that may be used in it: see `phases.py`."""

    id: str
    agent: str = "*"
    """Glob of the agents whose phase it is."""
    tools: tuple[str, ...] = ()
    """Globs; out of reach in the other phases of the agent."""
    duration: float | None = None
    """Seconds; None: until the next one is entered."""
    next: str | None = None
    """None: the phase that follows in the document, if any."""
    line: int = 0


class DeclaredTool(Struct, frozen=True, kw_only=True):
    schema: ToolSchema
    line: int = 0


class PolicyDocument(Struct, frozen=True, kw_only=True):
    """One PolicySet document."""

    name: str
    description: str = ""
    enabled: bool = True
    default: Effect | None = Effect.DENY
    """None: this set has no say in it (short policies). Where none has, deny."""
    tools: tuple[DeclaredTool, ...] = ()
    defaults: tuple[AgentDefault, ...] = ()
    """For some agents, in place of `default`."""
    rules: tuple[PolicyRule, ...] = ()
    limits: tuple[PolicyRule, ...] = ()
    """Rates and budgets over all calls that match, whichever rule let them through."""
    rewrites: tuple[PolicyRule, ...] = ()
    """Changes to the arguments of all calls that match and may run."""
    phases: tuple[Phase, ...] = ()
    forbid: tuple[Composition, ...] = ()
    intent: IntentEffects = IntentEffects()
    digest: str = ""
    """SHA-256 over the canonical content: layout and comments do not count."""
    content: dict[str, Any] = field(default_factory=dict)
    """The plain content, as JSON values."""
