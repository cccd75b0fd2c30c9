"""How a document says what holds beside its rules: defaults of agents, phases, limits, rewrites."""

from typing import Any

from mutx.governance.policy.grammar_terms import BUDGET, DURATION, GLOB, ID, MATCH, OUTCOME, PROSE, RATE
from mutx.governance.policy.model import AgentDefault, Phase, PolicyRule, RuleEffect
from mutx.governance.policy.shapes import Choice, Record, Several
from mutx.governance.policy.steps_grammar import STEP


def _limit(**fields: Any) -> PolicyRule:
    if fields.get("rate") is None and fields.get("budget") is None:
        raise ValueError("a limit has a `rate` or a `budget`, or both")
    return PolicyRule(effect=RuleEffect.ALLOW, name=fields["id"], **fields)


def _rewrite(**fields: Any) -> PolicyRule:
    return PolicyRule(effect=RuleEffect.MODIFY, name=fields["id"], **fields)


DEFAULT = Record(AgentDefault, {"agent": GLOB, "effect": Choice(OUTCOME)}, required=("agent", "effect"))
PHASE = Record(
    Phase,
    {"id": ID, "agent": GLOB, "tools": Several(GLOB, most=1000), "duration": DURATION, "next": ID},
    required=("id",),
    line=True,
)
LIMIT = Record(
    _limit, {"id": ID, "match": MATCH, "rate": RATE, "budget": BUDGET, "reason": PROSE}, required=("id",), line=True
)
REWRITE = Record(
    _rewrite,
    {"id": ID, "match": MATCH, "modify": Several(STEP, least=1, most=50), "reason": PROSE},
    required=("id", "modify"),
    line=True,
)
