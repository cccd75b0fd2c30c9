"""Documents -> PolicySnapshot: the index that decisions are made from. Pure; run it in a thread, it gives way to others."""

from collections.abc import Sequence
from itertools import groupby

from mutx.governance.intent import STANDARD, THRESHOLDS, DriftThresholds
from mutx.governance.policy.argument_table import argument_tables
from mutx.governance.policy.entries import FINAL, Found, RuleEntry
from mutx.governance.policy.globs import parse_glob
from mutx.governance.policy.grammar import MAX_RULES
from mutx.governance.policy.model import PolicyDocument, PolicyRule
from mutx.governance.policy.names import NameTable
from mutx.governance.policy.phases import phase_plans
from mutx.governance.policy.postings import breathing, ordered
from mutx.governance.policy.snapshot import FlowBan, PolicySnapshot, ToolTable, is_bare, wanted_by
from mutx.governance.policy.standing import defaults, standing
from mutx.governance.policy.uncollected import uncollected
from mutx.governance.types import STRICTNESS, Effect, IntentSignal, RuleRef
from mutx.kit.canonical import digest
from mutx.kit.errors import PolicyInvalid


def compile_policies(documents: Sequence[PolicyDocument]) -> PolicySnapshot:
    """The enabled documents as one index; their order makes no difference. Raises PolicyInvalid."""
    enabled = sorted((one for one in documents if one.enabled), key=lambda one: one.name)
    _check(enabled)
    with uncollected():
        return _built(enabled)


def _built(enabled: Sequence[PolicyDocument]) -> PolicySnapshot:
    entries = _entries(enabled)
    return PolicySnapshot(
        version=digest([[one.name, one.digest] for one in enabled]),
        names=tuple(one.name for one in enabled),
        entries=entries,
        alone=tuple(Found((entry,)) for entry in breathing(entries)),
        tools=NameTable(entry.rule.match.tool for entry in entries),
        agents=NameTable(entry.rule.match.agent for entry in entries),
        sessions=NameTable(entry.rule.match.session for entry in entries),
        tables=argument_tables(((entry.rank, entry.when.guards) for entry in entries if entry.when), len(entries)),
        declared=ToolTable(tool.schema for one in enabled for tool in one.tools),
        bans=tuple(_bans(enabled)),
        defaults=defaults(enabled),
        limits=standing((one.name, rule) for one in enabled for rule in one.limits),
        rewrites=standing((one.name, rule) for one in enabled for rule in one.rewrites),
        plans=phase_plans(enabled),
        intent=_intent(enabled),
        thresholds=_thresholds(enabled),
        wanted=wanted_by(entries),
        bare=is_bare(entries),
        nothing=Found(),
    )


def _check(enabled: Sequence[PolicyDocument]) -> None:
    names = [one.name for one in enabled]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PolicyInvalid(f"two policies are called {twice[0]}; rename one", details={"names": twice})
    count = sum(len(one.rules) for one in enabled)
    if count > MAX_RULES:
        raise PolicyInvalid(
            f"{count} rules are more than the {MAX_RULES} that one workspace may have; use globs and conditions",
            details={"rules": count, "limit": MAX_RULES},
        )


def _entries(enabled: Sequence[PolicyDocument]) -> tuple[RuleEntry, ...]:
    rules = ordered(((one.name, rule) for one in enabled for rule in one.rules if rule.enabled), key=_order)
    ends: list[int] = []
    levels: list[int] = []
    for level, (_, group) in enumerate(groupby(rules, key=lambda one: _priority(one[1]))):
        levels += [level] * len(list(group))
        ends.append(len(levels))
    return tuple(
        RuleEntry(policy, rule, rank, levels[rank], (1 << ends[levels[rank]]) - 1)
        for rank, (policy, rule) in enumerate(breathing(rules))
    )


def _order(one: tuple[str, PolicyRule]) -> tuple[float, str, str]:
    policy, rule = one
    return _priority(rule), policy, rule.id


def _priority(rule: PolicyRule) -> float:
    return FINAL if rule.final else rule.priority


def _bans(enabled: Sequence[PolicyDocument]) -> list[FlowBan]:
    return [
        FlowBan(
            rule,
            RuleRef(rule.id, rule.id, one.name, Effect.DENY, 0),
            parse_glob(rule.after.tool) if rule.after.tool is not None else None,
            parse_glob(rule.then),
        )
        for one in enabled
        for rule in sorted(one.forbid, key=lambda ban: ban.id)
    ]


def _thresholds(enabled: Sequence[PolicyDocument]) -> DriftThresholds:
    """Of the strictest profile that any set names."""
    named = {one.intent.profile for one in enabled}
    return next((one for name, one in THRESHOLDS.items() if name in named), STANDARD)


def _intent(enabled: Sequence[PolicyDocument]) -> dict[IntentSignal, Effect]:
    """The strictest of all sets, for the two signals of a drifting session."""
    suspected = [one.intent.suspected for one in enabled]
    confirmed = [one.intent.confirmed for one in enabled]
    return {
        IntentSignal.DRIFT_SUSPECTED: max(suspected, key=STRICTNESS.__getitem__, default=Effect.ALLOW),
        IntentSignal.DRIFT_CONFIRMED: max(confirmed, key=STRICTNESS.__getitem__, default=Effect.ALLOW),
    }
