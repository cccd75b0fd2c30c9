"""Rules that make one another pointless, or contradict one another."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from mutx.governance.policy.argument_table import float_or_int
from mutx.governance.policy.finding import Finding, LintSeverity
from mutx.governance.policy.globs import covers, overlap
from mutx.governance.policy.guards import Guard, GuardKind
from mutx.governance.policy.model import PolicyRule

MAX_PAIRS = 1_000_000
"""Pairs of rules compared; past this, lint says that it stopped."""


class Ranked(Struct, frozen=True):
    """A rule and its place in the order of evaluation."""

    policy: str
    rule: PolicyRule

    @property
    def key(self) -> str:
        return f"{self.policy}/{self.rule.id}"

    @property
    def order(self) -> tuple[bool, int]:
        return (not self.rule.final, self.rule.priority if not self.rule.final else 0)

    @property
    def source(self) -> str | None:
        return None if self.rule.when is None else self.rule.when.source

    def finding(self, severity: LintSeverity, code: str, message: str) -> Finding:
        return Finding(severity, code, self.policy, self.rule.line, self.rule.id, message)


def compare_rules(rules: Sequence[tuple[str, PolicyRule]]) -> list[Finding]:
    """`rules`: enabled rules with the names of their policies."""
    ranked = sorted((Ranked(*one) for one in rules), key=lambda one: (one.order, one.policy, one.rule.id))
    found = [
        one.finding(
            LintSeverity.ERROR, "unreachable", "its condition can never hold: the comparisons exclude each other"
        )
        for one in ranked
        if one.rule.when is not None and empty(one.rule.when.guards)
    ]
    done: set[str] = set()
    for pairs, (earlier, later) in enumerate(_pairs(ranked)):
        if pairs >= MAX_PAIRS:
            text = f"lint stopped after comparing {MAX_PAIRS} pairs of rules"
            return [*found, later.finding(LintSeverity.WARNING, "incomplete", text)]
        if later.key not in done and (remark := _compared(earlier, later)):
            found.append(remark)
            done.add(later.key)
    return found


def _pairs(ranked: Sequence[Ranked]) -> Iterator[tuple[Ranked, Ranked]]:
    """Every rule with the earlier ones whose tools may overlap: those of the same literal tool, and those with globs."""
    literal: dict[str, list[Ranked]] = defaultdict(list)
    globs: list[Ranked] = []
    everything: list[Ranked] = []
    for later in ranked:
        tool = later.rule.match.tool
        earlier = everything if "*" in tool else [*literal[tool], *globs]
        yield from ((one, later) for one in earlier)
        everything.append(later)
        if "*" in tool:
            globs.append(later)
        else:
            literal[tool].append(later)


def _compared(earlier: Ranked, later: Ranked) -> Finding | None:
    if earlier.order == later.order:
        return _contradiction(earlier, later)
    if not _covers(earlier.rule, later.rule):
        return None
    if earlier.source is None:
        return later.finding(
            LintSeverity.WARNING,
            "unreachable",
            f"rule {earlier.key} comes first and applies to all that this one matches",
        )
    if earlier.source == later.source:
        return later.finding(
            LintSeverity.WARNING, "shadowed", f"rule {earlier.key} comes first, with the same condition"
        )
    return None


def _contradiction(earlier: Ranked, later: Ranked) -> Finding | None:
    if earlier.rule.effect.effect is later.rule.effect.effect or not _overlaps(earlier.rule, later.rule):
        return None
    guards = [guard for one in (earlier, later) if one.rule.when for guard in one.rule.when.guards]
    if empty(guards):
        return None
    certain = earlier.source is None and later.source is None
    return later.finding(
        LintSeverity.ERROR if certain else LintSeverity.WARNING,
        "contradictory",
        f"rule {earlier.key} has the same priority and says {earlier.rule.effect}: where both apply the call is deferred",
    )


def _covers(outer: PolicyRule, inner: PolicyRule) -> bool:
    return (
        covers(outer.match.tool, inner.match.tool)
        and covers(outer.match.agent, inner.match.agent)
        and covers(outer.match.session, inner.match.session)
    )


def _overlaps(left: PolicyRule, right: PolicyRule) -> bool:
    return (
        overlap(left.match.tool, right.match.tool)
        and overlap(left.match.agent, right.match.agent)
        and overlap(left.match.session, right.match.session)
    )


def empty(guards: Sequence[Guard]) -> bool:
    """Do these comparisons exclude one another? Sound: False where it cannot tell."""
    by_path: dict[tuple[str, ...], list[Guard]] = defaultdict(list)
    for guard in guards:
        by_path[guard.path].append(guard)
    return any(_empty_range(group) or _empty_choice(group) for group in by_path.values())


def _empty_range(guards: Sequence[Guard]) -> bool:
    ordered = [guard for guard in guards if guard.kind is GuardKind.ORDER]
    low = max(((float_or_int(g), g.sign == ">") for g in ordered if g.sign[0] == ">"), default=None)
    high = min(((float_or_int(g), g.sign == "<=") for g in ordered if g.sign[0] == "<"), default=None)
    if low is None or high is None:
        return False
    return low[0] > high[0] or (low[0] == high[0] and (low[1] or not high[1]))


def _empty_choice(guards: Sequence[Guard]) -> bool:
    choices = [
        {(type(one) is str, type(one) is bool, one) for one in guard.constants}
        for guard in guards
        if guard.kind in {GuardKind.EQUAL, GuardKind.TRUTH} and (guard.kind is GuardKind.EQUAL or guard.constants)
    ]
    return bool(choices) and not set.intersection(*choices)
