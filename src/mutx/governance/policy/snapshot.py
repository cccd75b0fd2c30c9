"""One version of all policies of a workspace, compiled."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from mutx.governance.intent import DriftThresholds
from mutx.governance.mediator import ActionMediator
from mutx.governance.policy.argument_table import ArgumentTable
from mutx.governance.policy.entries import Found, RuleEntry
from mutx.governance.policy.globs import Glob, parse_glob
from mutx.governance.policy.model import Composition
from mutx.governance.policy.names import NameTable
from mutx.governance.policy.phases import PhasePlan
from mutx.governance.policy.postings import ranks_of
from mutx.governance.policy.standing import Standing, StandingDefault, default_for
from mutx.governance.tools import ToolSchema
from mutx.governance.types import ActionCategory, Effect, IntentSignal, Risk, RuleRef

FEW = 4
"""So many of the best rules are tried one by one; the rest is narrowed down by argument tables first."""


class FlowBan(Struct, frozen=True):
    """A forbidden composition of one policy, its globs compiled."""

    rule: Composition
    ref: RuleRef
    after: Glob | None
    then: Glob


class ToolTable:
    """Declared tools: the most specific declaration wins, of equals the riskier."""

    __slots__ = ("_globs", "_literal")

    def __init__(self, schemas: Iterable[ToolSchema]) -> None:
        ordered = sorted(schemas, key=lambda schema: list(Risk).index(schema.risk), reverse=True)
        found: dict[str, ToolSchema] = {}
        for schema in ordered:
            found.setdefault(schema.name, schema)
        self._literal = {name: schema for name, schema in found.items() if "*" not in name}
        globs = [(parse_glob(name), schema) for name, schema in found.items() if "*" in name]
        self._globs = sorted(globs, key=lambda one: one[0].specificity, reverse=True)

    def find(self, name: str) -> ToolSchema | None:
        declared = self._literal.get(name)
        if declared is not None:
            return declared
        return next((schema for glob, schema in self._globs if glob.matches(name)), None)


class Slate:
    """What is known of every call of one tool by one agent, whatever its arguments and session."""

    __slots__ = (
        "bans", "bare", "calm", "category", "default", "default_policy", "first", "fixed", "keys", "limits", "phased", "plan",
        "rest", "rewrites", "risk", "schema", "sessions", "tables", "wanted",
    )  # fmt: skip

    def __init__(self, snapshot: "PolicySnapshot", tool: str, agent: str) -> None:
        self.schema = snapshot.tool(tool)
        self.risk = self.schema.risk if self.schema else Risk.LOW
        self.category: ActionCategory = ActionMediator().categorize(self.schema)
        self.bans = tuple(ban for ban in snapshot.bans if ban.then.matches(tool))
        self.plan = next((plan for plan in snapshot.plans if plan.agent.matches(agent)), None)
        self.phased = self.plan is not None and self.plan.concerns(tool)
        self.limits = tuple(one for one in snapshot.limits if one.concerns(tool, agent))
        self.rewrites = tuple(one for one in snapshot.rewrites if one.concerns(tool, agent))
        self.default, self.default_policy = default_for(agent, snapshot.defaults)
        same = (self.risk, self.category, self.default, self.default_policy)
        self.keys = {signal: (*same, signal) for signal in IntentSignal}
        """What a decision depends on that nothing but the rules can change; what was found is shared by tools and agents."""
        standing = self.phased or self.limits or self.rewrites
        self.calm = not self.bans and not standing and (self.schema is None or is_calm(self.schema))
        """Nothing but rules has a say."""
        bits = snapshot.tools.match(tool) & snapshot.agents.match(agent)
        self.first = tuple(snapshot.entries[rank] for rank in islice(ranks_of(bits), FEW))
        self.rest = bits >> (self.first[-1].rank + 1) << (self.first[-1].rank + 1) if self.first else 0
        self.tables: Sequence[ArgumentTable] = tuple(table for table in snapshot.tables if table.touched & self.rest)
        self.sessions = bool(snapshot.sessions.bound & self.rest)
        self.wanted = snapshot.wanted if self.rest else wanted_by(self.first)
        self.wanted |= wanted_by(one.entry for one in self.limits)
        self.bare = is_bare(self.first) and (not self.rest or snapshot.bare)
        """No condition needs more than the arguments."""
        self.fixed = self._fixed(snapshot)
        """What the search finds whatever the call, where that can be told beforehand."""

    def _fixed(self, snapshot: "PolicySnapshot") -> Found | None:
        if not self.first:
            return snapshot.nothing
        best = self.first[0]
        alone = len(self.first) == 1 or self.first[1].level != best.level
        return snapshot.alone[best.rank] if alone and best.when is None and best.session is None else None


def is_calm(schema: ToolSchema) -> bool:
    """The declaration puts no question to any call."""
    return (
        schema.risk is not Risk.CRITICAL
        and not schema.requires_approval
        and not schema.parameters
        and schema.additional_parameters
        and schema.sink is None
        and schema.accepts_untrusted
        and not schema.critical
        and schema.requested_by is None
        and not schema.ask_instructed
        and not schema.ask_hearsay
    )


def is_bare(entries: Iterable[RuleEntry]) -> bool:
    return all(entry.when is None or entry.when.quick is not None for entry in entries)


def wanted_by(entries: Iterable[RuleEntry]) -> frozenset[str]:
    """The variables that CEL programs of these rules may read."""
    found: set[str] = set()
    for entry in entries:
        if entry.when is not None and not entry.when.exact:
            found |= entry.when.wants
        if entry.rule.budget is not None:
            found |= entry.rule.budget.amount.wants
    return frozenset(found)


class PolicySnapshot(Struct, frozen=True, kw_only=True):
    """Immutable; made by `compile_policies`."""

    version: str
    """SHA-256 over the enabled documents."""
    names: tuple[str, ...]
    entries: tuple[RuleEntry, ...]
    """By rank: final denials, then by priority, policy and id."""
    alone: tuple[Found, ...]
    """By rank: what a look at the rules finds where only that one applies."""
    tools: NameTable
    agents: NameTable
    sessions: NameTable
    tables: tuple[ArgumentTable, ...]
    declared: ToolTable
    bans: tuple[FlowBan, ...]
    defaults: tuple[StandingDefault, ...]
    limits: tuple[Standing, ...]
    rewrites: tuple[Standing, ...]
    plans: tuple[PhasePlan, ...]
    intent: Mapping[IntentSignal, Effect]
    thresholds: DriftThresholds
    """When a session counts as drifting."""
    wanted: frozenset[str]
    """Variables that any CEL program may read."""
    bare: bool
    """No rule's condition needs more than the arguments."""
    nothing: Found
    """What a look at the rules finds where none applies."""

    def tool(self, name: str) -> ToolSchema | None:
        """The declaration that governs a tool; None for one that nobody declared."""
        return self.declared.find(name)
