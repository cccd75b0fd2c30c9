"""Rules that make one another pointless, or contradict one another."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import chain, groupby

from mutx.governance.policy.argument_table import float_or_int
from mutx.governance.policy.finding import Finding, LintSeverity
from mutx.governance.policy.globs import Glob, GlobKind, covers, overlap, parse_glob
from mutx.governance.policy.guards import Guard, GuardKind
from mutx.governance.policy.model import PolicyRule
from mutx.governance.policy.postings import ordered

MAX_PAIRS = 1_000_000
"""Pairs of rules compared; past this, lint says that it stopped."""


class Ranked:
    """A rule and its place in the order of evaluation."""

    __slots__ = ("key", "order", "policy", "rank", "rule", "source", "tool")

    def __init__(self, policy: str, rule: PolicyRule) -> None:
        self.policy, self.rule = policy, rule
        self.key = f"{policy}/{rule.id}"
        self.order = (not rule.final, rule.priority if not rule.final else 0)
        self.source = None if rule.when is None else rule.when.source
        self.tool = parse_glob(rule.match.tool)
        self.rank = 0

    def finding(self, severity: LintSeverity, code: str, message: str) -> Finding:
        return Finding(severity, code, self.policy, self.rule.line, self.rule.id, message)


def compare_rules(rules: Sequence[tuple[str, PolicyRule]]) -> list[Finding]:
    """`rules`: enabled rules with the names of their policies."""
    ranked = ordered((Ranked(*one) for one in rules), key=lambda one: (one.order, one.policy, one.rule.id))
    for rank, one in enumerate(ranked):
        one.rank = rank
    found = [
        one.finding(
            LintSeverity.ERROR, "unreachable", "its condition can never hold: the comparisons exclude each other"
        )
        for one in ranked
        if one.rule.when is not None and empty(one.rule.when.guards)
    ]
    earlier, pairs = CoveringRules(), 0
    for _, group in groupby(ranked, key=lambda one: one.order):
        same = list(group)
        peers = Peers()
        for later in same:
            for one in chain(earlier.candidates(later), peers.before(later)):
                pairs += 1
                if pairs > MAX_PAIRS:
                    text = f"lint stopped after comparing {MAX_PAIRS} pairs of rules"
                    return [*found, later.finding(LintSeverity.WARNING, "incomplete", text)]
                if remark := _compared(one, later):
                    found.append(remark)
                    break
            peers.add(later)
        for one in same:
            earlier.add(one)
    return found


class Peers:
    """Rules of one priority: those whose tools may overlap are those of the same name, and those with globs."""

    def __init__(self) -> None:
        self._literal: dict[str, list[Ranked]] = defaultdict(list)
        self._globs: list[Ranked] = []
        self._all: list[Ranked] = []

    def add(self, one: Ranked) -> None:
        self._all.append(one)
        if one.tool.kind is GlobKind.LITERAL:
            self._literal[one.tool.pattern].append(one)
        else:
            self._globs.append(one)

    def before(self, later: Ranked) -> Iterator[Ranked]:
        if later.tool.kind is not GlobKind.LITERAL:
            return iter(self._all)
        return merge(self._literal.get(later.tool.pattern, ()), self._globs, key=lambda one: one.rank)


class CoveringRules:
    """Rules that come first, by what their tool's glob covers and by their condition: only a rule without one, or with
    the same one, makes a later rule pointless."""

    def __init__(self) -> None:
        self._found: dict[str | None, dict[tuple[GlobKind | None, str], list[Ranked]]] = {}
        self._sizes: dict[GlobKind | None, set[int]] = {GlobKind.PREFIX: set(), GlobKind.SUFFIX: set()}

    def add(self, one: Ranked) -> None:
        found = self._found.setdefault(one.source, defaultdict(list))
        for kind, text in self._places(one.tool):
            found[kind, text].append(one)
            if kind in self._sizes:
                self._sizes[kind].add(len(text))

    def candidates(self, later: Ranked) -> Iterator[Ranked]:
        """Those whose tool covers the later rule's, in order."""
        held = [found for source in {None, later.source} if (found := self._found.get(source))]
        if not held:
            return iter(())
        places = list(self._looked_up(later.tool))
        lists = [found[place] for found in held for place in places if place in found]
        return merge(*lists, key=lambda one: one.rank)

    def _looked_up(self, glob: Glob) -> Iterator[tuple[GlobKind | None, str]]:
        """Where the globs stand that may cover this one."""
        first, last = glob.parts[0], glob.parts[-1]
        yield from ((None, glob.pattern), (GlobKind.ANY, ""), (GlobKind.CONTAINS, ""))
        yield from ((GlobKind.PREFIX, first[:size]) for size in self._sizes[GlobKind.PREFIX] if size <= len(first))
        yield from ((GlobKind.SUFFIX, last[-size:]) for size in self._sizes[GlobKind.SUFFIX] if size <= len(last))
        if glob.kind is GlobKind.LITERAL:
            yield GlobKind.GENERAL, ""

    @staticmethod
    def _places(glob: Glob) -> Iterator[tuple[GlobKind | None, str]]:
        yield None, glob.pattern
        if glob.kind in {GlobKind.PREFIX, GlobKind.SUFFIX}:
            yield glob.kind, glob.text
        elif glob.kind is not GlobKind.LITERAL:
            # few of these are written; all of them are tried
            yield glob.kind, ""


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
    if len(guards) < 2:
        return False
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
