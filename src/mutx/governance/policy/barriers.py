"""What denies before any rule is asked: DESIGN §2 (1) to (3), and the fate of actions that this one depends on."""

from mutx.governance.arguments import violations
from mutx.governance.arguments_path import values_at
from mutx.governance.context.leaves import read_leaves
from mutx.governance.policy.case import Case, Ruling
from mutx.governance.policy.globs import parse_glob
from mutx.governance.policy.snapshot import FlowBan
from mutx.governance.policy.stages import out_of_phase
from mutx.governance.tools import ToolSchema
from mutx.governance.types import Effect, ReasonCode, Risk, RuleRef

MAX_DEPTH = 8
"""How many waiting actions may stand in line before one."""
SHOWN = 5
"""Violations named in a reason."""


def barrier(case: Case) -> Ruling | None:
    """The first thing that forbids the call whatever the rules say."""
    schema = case.slate.schema
    if case.found.forbidden:
        return _forbidden_rule(case)
    if schema is not None and schema.risk is Risk.CRITICAL:
        return _deny(ReasonCode.CRITICAL_RISK, f"{schema.name} is declared as critical risk: it never runs")
    if case.action.meta_error is not None:
        return _deny(ReasonCode.META_TOOL_UNRESOLVED, f"the wrapped call cannot be read: {case.action.meta_error}")
    if (elsewhere := out_of_phase(case)) is not None:
        return elsewhere
    if schema is None:
        return _composition(case) or _dependency(case)
    return _parameters(case, schema) or _flow(case, schema) or _composition(case) or _dependency(case)


def _deny(code: ReasonCode, reason: str, rule: RuleRef | None = None) -> Ruling:
    return Ruling(effect=Effect.DENY, code=code, reason=reason, rule=rule, matched=(rule,) if rule else ())


def _forbidden_rule(case: Case) -> Ruling:
    found = case.found
    return Ruling(
        effect=Effect.DENY,
        code=ReasonCode.FORBIDDEN_RULE,
        reason=found.applied[0].reason,
        rule=found.applied[0].ref,
        matched=tuple(entry.ref for entry in found.applied),
        read=found.fields,
        notify=tuple(dict.fromkeys(name for entry in found.applied for name in entry.rule.notify)),
    )


def _parameters(case: Case, schema: ToolSchema) -> Ruling | None:
    found = violations(schema, case.action.tool_args)
    if not found:
        return None
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return _deny(
        ReasonCode.PARAMETER_VIOLATION, f"arguments do not fit {schema.name}: {'; '.join(found[:SHOWN])}{more}"
    )


def _flow(case: Case, schema: ToolSchema) -> Ruling | None:
    held = case.observation.confidentiality
    if schema.sink is not None and held > schema.sink and not _stays_inside(case, schema):
        return _deny(
            ReasonCode.FORBIDDEN_FLOW,
            f"the session holds {held.name} data and {schema.name} may be given no more than {schema.sink.name}",
        )
    if not schema.accepts_untrusted and (untrusted := case.observation.untrusted_arguments):
        names = ", ".join(one.name for one in untrusted[:SHOWN])
        return _deny(ReasonCode.FORBIDDEN_FLOW, f"{schema.name} takes no values from untrusted output: {names}")
    return None


def _stays_inside(case: Case, schema: ToolSchema) -> bool:
    """Every destination is named and is one of the policy's own."""
    if schema.destination is None or not schema.internal:
        return False
    named, complete = read_leaves(values_at(case.action.tool_args, schema.destination))
    globs = [parse_glob(glob.casefold()) for glob in schema.internal]
    return complete and bool(named) and all(any(glob.matches(one.casefold()) for glob in globs) for one in named)


def _composition(case: Case) -> Ruling | None:
    for ban in case.slate.bans:
        before = _happened(case, ban)
        if before:
            reason = ban.rule.reason or f"{case.action.tool_name} may not follow {before}"
            return _deny(ReasonCode.FORBIDDEN_COMPOSITION, reason, ban.ref)
    return None


def _happened(case: Case, ban: FlowBan) -> str:
    """What makes the ban hold; empty if nothing does."""
    context, earlier = case.observation.context, ban.rule.after
    if ban.after is not None:
        since = case.facts.now - ban.rule.within if ban.rule.within is not None else 0.0
        seen = (name for name, at in context.tool_last_at.items() if at >= since and ban.after.matches(name))
        return next(seen, "")
    if earlier.confidentiality is not None:
        held = case.observation.confidentiality
        return f"{held.name} data" if held >= earlier.confidentiality else ""
    return "untrusted output" if context.holds_untrusted else ""


def _dependency(case: Case) -> Ruling | None:
    facts = case.facts
    if facts.denied_parent is not None:
        return _deny(ReasonCode.DEPENDENCY_DENIED, f"it depends on action {facts.denied_parent}, which was denied")
    if facts.depth > MAX_DEPTH:
        return _deny(ReasonCode.DEPENDENCY_DEPTH, f"more than {MAX_DEPTH} waiting actions stand in line before it")
    return None
