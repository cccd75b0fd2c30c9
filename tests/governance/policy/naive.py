"""Stage (4) of the precedence as one would write it without an index: the reference that the engine must agree with."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from mutx.governance.policy.model import PolicyDocument, PolicyRule
from mutx.governance.types import STRICTNESS, Effect, NormalizedAction, ReasonCode

Result = tuple[Effect, ReasonCode, tuple[str, ...]]


def naive(documents: Sequence[PolicyDocument], action: NormalizedAction) -> Result:
    """Effect, reason code and the sorted ids of what applied."""
    rules = [(one.name, rule) for one in documents for rule in one.rules if one.enabled and rule.enabled]
    final = [f"{name}/{rule.id}" for name, rule in rules if rule.final and _applies(rule, action)]
    if final:
        return Effect.DENY, ReasonCode.FORBIDDEN_RULE, tuple(sorted(final))
    if any(rule.final and _applies(rule, action) is None for _, rule in rules):
        return Effect.DEFER, ReasonCode.MISSING_CONTEXT, ()
    for priority in sorted({rule.priority for _, rule in rules if not rule.final}):
        level = [one for one in rules if one[1].priority == priority and not one[1].final]
        applied = [one for one in level if _applies(one[1], action)]
        unknown = [one for one in level if _applies(one[1], action) is None]
        if applied or unknown:
            return _level(applied, unknown)
    defaults = [one.default for one in documents if one.enabled and one.default is not None]
    return max(defaults, key=STRICTNESS.__getitem__, default=Effect.DENY), ReasonCode.DEFAULT, ()


def _level(applied: list[tuple[str, PolicyRule]], unknown: list[tuple[str, PolicyRule]]) -> Result:
    names = tuple(sorted(f"{name}/{rule.id}" for name, rule in applied))
    effects = {rule.effect.effect for _, rule in applied}
    doubted = {rule.effect.effect for _, rule in unknown}
    if unknown and effects != {Effect.DENY} and not (len(effects) == 1 and effects == doubted):
        return Effect.DEFER, ReasonCode.MISSING_CONTEXT, names
    if len(effects) > 1:
        return Effect.DEFER, ReasonCode.RULE_CONFLICT, names
    return effects.pop(), ReasonCode.RULE, names


def _applies(rule: PolicyRule, action: NormalizedAction) -> bool | None:
    globs = (
        (rule.match.tool, action.tool_name),
        (rule.match.agent, action.agent_id),
        (rule.match.session, action.session_id),
    )
    if not all(fnmatchcase(name, glob) for glob, name in globs):
        return False
    if rule.when is None:
        return True
    try:
        value = rule.when.program.execute({"args": action.tool_args})
    except (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError):
        return None
    return value if type(value) is bool else None
