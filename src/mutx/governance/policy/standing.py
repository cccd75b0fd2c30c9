"""What holds beside the rules, compiled: limits over several tools, rewrites, defaults of agents."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from mutx.governance.policy.entries import RuleEntry
from mutx.governance.policy.globs import Glob, parse_glob
from mutx.governance.policy.model import PolicyDocument, PolicyRule
from mutx.governance.types import STRICTNESS, Effect


class Standing(Struct, frozen=True):
    """A limit or a rewrite, its globs compiled."""

    entry: RuleEntry
    tool: Glob
    agent: Glob

    def concerns(self, tool: str, agent: str) -> bool:
        return self.tool.matches(tool) and self.agent.matches(agent)


class StandingDefault(Struct, frozen=True):
    """A policy's default for the agents that match."""

    agent: Glob
    effect: Effect
    policy: str


def standing(named: Iterable[tuple[str, PolicyRule]]) -> tuple[Standing, ...]:
    """By policy and id."""
    ordered = sorted(named, key=lambda one: (one[0], one[1].id))
    return tuple(
        Standing(RuleEntry(policy, rule, 0, 0, 0), parse_glob(rule.match.tool), parse_glob(rule.match.agent))
        for policy, rule in ordered
    )


def defaults(enabled: Sequence[PolicyDocument]) -> tuple[StandingDefault, ...]:
    """Each set's, for the agents it names and for all others."""
    found = []
    for one in enabled:
        found += [StandingDefault(parse_glob(each.agent), each.effect, one.name) for each in one.defaults]
        if one.default is not None:
            found.append(StandingDefault(parse_glob("*"), one.default, one.name))
    return tuple(found)


def default_for(agent: str, every: Sequence[StandingDefault]) -> tuple[Effect, str]:
    """What a call of this agent gets that no rule decides, and whose word that is: of each set its first that fits, of
    several sets the strictest; deny where none has a say."""
    own: dict[str, Effect] = {}
    for one in every:
        if one.policy not in own and one.agent.matches(agent):
            own[one.policy] = one.effect
    strictest = max(own.items(), key=lambda one: STRICTNESS[one[1]], default=("none", Effect.DENY))
    return strictest[1], strictest[0]
