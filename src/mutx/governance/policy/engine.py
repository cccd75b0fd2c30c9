"""PolicyEngine: one compiled version of the policies, deciding. Pure and deterministic over (action, facts, version).

A hot reload is a new engine; whoever holds this one swaps it.
"""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from mutx.governance.context import Observation
from mutx.governance.policy.barriers import barrier
from mutx.governance.policy.case import Case, Ruling, decision
from mutx.governance.policy.consent import Consent
from mutx.governance.policy.entries import Found
from mutx.governance.policy.limits import limited
from mutx.governance.policy.outcome import outcome
from mutx.governance.policy.safeguards import safeguarded
from mutx.governance.policy.search import search
from mutx.governance.policy.snapshot import PolicySnapshot, Slate
from mutx.governance.policy.stages import rewritten
from mutx.governance.policy.variables import Variables
from mutx.governance.tools import ToolSchema
from mutx.governance.types import Decision, Effect, Facts, NormalizedAction, ReasonCode

MEMO_BYTES = 64 << 20
MAX_MEMO = 16_384
"""Pairs of tool and agent that are remembered; session ids never are."""
REPEATABLE = frozenset({ReasonCode.RULE, ReasonCode.FORBIDDEN_RULE, ReasonCode.DEFAULT})


class PolicyEngine:
    """Decides by one snapshot. Holds nothing else but a bounded memo and counts of how often each rule decided."""

    __slots__ = ("_hits", "_memo_size", "_slates", "_tools", "snapshot", "thresholds", "version")

    def __init__(self, snapshot: PolicySnapshot) -> None:
        self.snapshot = snapshot
        self.version = snapshot.version
        self.thresholds = snapshot.thresholds
        self._hits = [0] * len(snapshot.entries)
        self._memo_size = min(MAX_MEMO, MEMO_BYTES // (len(snapshot.entries) // 8 + 64))
        self._slates: dict[tuple[str, str], Slate] = {}
        self._tools: dict[str, ToolSchema | None] = {}

    def tool(self, name: str) -> ToolSchema | None:
        """The declaration that governs a tool; None for one that nobody declared."""
        try:
            return self._tools[name]
        except KeyError:
            if len(self._tools) >= MAX_MEMO:
                self._tools.clear()
            found = self._tools[name] = self.snapshot.tool(name)
            return found

    def hits(self) -> Mapping[str, int]:
        """`policy/rule` -> how often it was among the deciding rules since this version was loaded."""
        return {entry.key: self._hits[entry.rank] for entry in self.snapshot.entries}

    def evaluate(
        self, action: NormalizedAction, observation: Observation, facts: Facts, counter: Callable[[str], int]
    ) -> Decision:
        """Decide. `counter` gives a limit's present value by key; the facts' own readings give the same decision."""
        slate = self._slates.get((action.tool_name, action.agent_id)) or self._slate(action)
        variables = None if slate.bare else Variables(action, observation, facts, slate.wanted, slate.plan)
        found = slate.fixed or search(self.snapshot, slate, action, variables, facts)
        for entry in found.applied:
            self._hits[entry.rank] += 1
        if not (found.plain and slate.calm) or facts.waiting_on or facts.denied_parent or facts.depth:
            return self._decided(slate, found, action, observation, facts, counter)
        # Nothing but the rules can change such an outcome, and the next one is the same value.
        key = slate.keys[observation.intent]
        ready = found.ready.get(key)
        if ready is None or action.meta_error is not None:
            ready = self._decided(slate, found, action, observation, facts, counter)
            if ready.reason_code in REPEATABLE and not ready.effect.waits:
                found.ready[key] = ready
        return ready

    def _decided(
        self,
        slate: Slate,
        found: Found,
        action: NormalizedAction,
        observation: Observation,
        facts: Facts,
        counter: Callable[[str], int],
    ) -> Decision:
        """The whole precedence."""
        variables = Variables(action, observation, facts, slate.wanted, slate.plan)
        case = Case(self.snapshot, slate, action, observation, facts, counter, variables, found, Consent(facts))
        return decision(case, rule_on(case))

    def _slate(self, action: NormalizedAction) -> Slate:
        if len(self._slates) >= self._memo_size:
            self._slates.clear()
        slate = self._slates[action.tool_name, action.agent_id] = Slate(
            self.snapshot, action.tool_name, action.agent_id
        )
        return slate


def rule_on(case: Case) -> Ruling:
    """DESIGN §2: the precedence, in order."""
    forbidden = barrier(case)
    if forbidden is not None:
        return forbidden
    ruling = outcome(case)
    if ruling.effect.runs or ruling.effect is Effect.STEP_UP:
        ruling = rewritten(case, limited(case, ruling))
    if ruling.effect.runs:
        ruling = safeguarded(case, ruling)
    if case.facts.waiting_on and ruling.effect is not Effect.DENY:
        return _waiting(case, ruling)
    return ruling


def _waiting(case: Case, ruling: Ruling) -> Ruling:
    others = ", ".join(case.facts.waiting_on[:5])
    return replace(
        ruling,
        effect=Effect.DEFER,
        code=ReasonCode.DEPENDENCY_WAITING,
        reason=f"it depends on actions that still wait: {others}",
        asks=(),
    )
