"""What the rules say: DESIGN §2 (4) and (6), before limits and safeguards."""

from collections.abc import Sequence

from mutx.governance.policy.case import Case, Ruling
from mutx.governance.policy.entries import RuleEntry
from mutx.governance.types import Effect, ReasonCode, RuleRef

DEFAULT_ASK = "default"


def outcome(case: Case) -> Ruling:
    """The outcome of the first rules that apply, or of none."""
    applied, unknown = case.found.applied, case.found.unknown
    if unknown and not _settled(applied, unknown):
        return _missing(case)
    if not applied:
        return _answered(case) or _default(case)
    if len(applied) > 1 and _disagree(case, applied):
        return _conflict(case)
    return _rules(case, applied)


def _settled(applied: Sequence[RuleEntry], unknown: Sequence[RuleEntry]) -> bool:
    """Rules of the same priority that could not be evaluated change nothing: a deny stands, agreement as well."""
    effects = {entry.effect for entry in applied}
    return effects == {Effect.DENY} or (len(effects) == 1 and effects == {entry.effect for entry in unknown})


def _disagree(case: Case, applied: Sequence[RuleEntry]) -> bool:
    """Different effects, or modifications whose order would matter."""
    if len({entry.effect for entry in applied}) > 1:
        return True
    if applied[0].effect is not Effect.MODIFY:
        return False
    return _modified(case, applied)[0] != _modified(case, applied[::-1])[0]


def _missing(case: Case) -> Ruling:
    unknown, roots = case.found.unknown, case.variables.root
    fields = tuple(dict.fromkeys(name for entry in unknown if entry.when for name in entry.when.missing(roots)))
    first = unknown[0]
    why = f"{', '.join(fields)} is missing or of the wrong kind" if fields else "its condition is not true or false"
    return Ruling(
        effect=Effect.DEFER,
        code=ReasonCode.MISSING_CONTEXT,
        reason=f"rule {first.key} cannot be evaluated: {why}",
        rule=first.ref,
        matched=_refs(case.found.applied),
        missing=fields,
        read=case.found.fields,
        asks=tuple(entry.missing_ask for entry in unknown),
        approval=first.rule.approval,
    )


def _conflict(case: Case) -> Ruling:
    applied = case.found.applied
    keys = sorted(entry.key for entry in applied)
    ask = f"rule_conflict:{'+'.join(keys)}"
    resolved = case.consent.resolves(ask)
    return Ruling(
        effect=Effect.ALLOW if resolved else Effect.DEFER,
        code=case.consent.code(ReasonCode.RULE_CONFLICT) if resolved else ReasonCode.RULE_CONFLICT,
        reason=f"rules {', '.join(keys)} have the same priority and disagree",
        rule=applied[0].ref,
        matched=_refs(applied),
        read=case.found.fields,
        asks=(ask,),
        approval=applied[0].rule.approval,
    )


def _answered(case: Case) -> Ruling | None:
    """A person has approved this call in place of a rule that still cannot be evaluated, and no other rule applies."""
    if not case.facts.satisfied:
        return None
    live = case.snapshot.tools.match(case.action.tool_name) & case.snapshot.agents.match(case.action.agent_id)
    for entry in case.snapshot.entries:
        if live >> entry.rank & 1 and _undecided(case, entry) and case.consent.resolves(entry.missing_ask):
            return Ruling(
                effect=Effect.ALLOW,
                code=ReasonCode.APPROVED,
                reason=f"a person decided in place of rule {entry.key}, which cannot be evaluated",
                rule=entry.ref,
                matched=(entry.ref,),
                approval=entry.rule.approval,
            )
    return None


def _undecided(case: Case, entry: RuleEntry) -> bool:
    if entry.when is None or (entry.session is not None and not entry.session.matches(case.action.session_id)):
        return False
    return entry.when.holds(case.variables.root, case.variables.context) is None


def _default(case: Case) -> Ruling:
    effect = case.slate.default
    consented = effect is Effect.STEP_UP and case.consent.answers(DEFAULT_ASK)
    consented = consented or (effect is Effect.DEFER and case.consent.resolves(f"defer:{DEFAULT_ASK}"))
    return Ruling(
        effect=Effect.ALLOW if consented else effect,
        code=case.consent.code(ReasonCode.DEFAULT),
        reason=f"no rule applies; the default of policy {case.slate.default_policy} is {effect}",
        asks=(f"defer:{DEFAULT_ASK}" if effect is Effect.DEFER else DEFAULT_ASK,),
    )


def _rules(case: Case, applied: Sequence[RuleEntry]) -> Ruling:
    """All agree. Asking rules that a person has answered count as allow."""
    first = applied[0]
    open_asks = _unanswered(case, applied)
    effect = Effect.ALLOW if first.effect.waits and not open_asks else first.effect
    asking = open_asks[0] if open_asks else first
    modified, done = _modified(case, applied) if effect is Effect.MODIFY else (None, ())
    return Ruling(
        effect=effect,
        code=ReasonCode.RULE if open_asks else case.consent.code(ReasonCode.RULE),
        reason=asking.reason,
        rule=asking.ref,
        matched=_refs(applied),
        read=case.found.fields,
        asks=tuple(entry.ask for entry in open_asks if entry.rule.approval == asking.rule.approval),
        approval=asking.rule.approval,
        alerts=tuple(entry.key for entry in applied if entry.warns),
        notify=tuple(dict.fromkeys(name for entry in applied for name in entry.rule.notify)),
        modified_args=modified,
        modifications=done,
    )


def _unanswered(case: Case, applied: Sequence[RuleEntry]) -> list[RuleEntry]:
    match applied[0].effect:
        case Effect.STEP_UP:
            return [entry for entry in applied if not case.consent.answers(entry.ask)]
        case Effect.DEFER:
            return [entry for entry in applied if not case.consent.resolves(entry.ask)]
    return []


def _modified(case: Case, applied: Sequence[RuleEntry]) -> tuple[dict[str, object], tuple[str, ...]]:
    arguments = case.action.tool_args
    lines: tuple[str, ...] = ()
    for entry in applied:
        assert entry.rewriter is not None  # all of them modify
        arguments, done = entry.rewriter.apply(arguments)
        lines += done
    return arguments, lines


def _refs(entries: Sequence[RuleEntry]) -> tuple[RuleRef, ...]:
    return tuple(entry.ref for entry in entries)
