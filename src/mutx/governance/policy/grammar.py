"""The grammar of a PolicySet document: fields, kinds, bounds. Parser and JSON Schema both come from here."""

from typing import Any

from mutx.governance.intent import THRESHOLDS
from mutx.governance.policy.grammar_standing import DEFAULT, LIMIT, PHASE, REWRITE
from mutx.governance.policy.grammar_terms import (
    BUDGET,
    DURATION,
    EXPRESSION,
    GLOB,
    ID,
    MATCH,
    NAME,
    NAMES,
    OUTCOME,
    PROSE,
    RATE,
)
from mutx.governance.policy.model import Composition, DeclaredTool, Earlier, IntentEffects, PolicyRule, RuleEffect
from mutx.governance.policy.shapes import Choice, Either, Flag, Named, Number, Record, Several
from mutx.governance.policy.steps_grammar import STEP
from mutx.governance.policy.tools_grammar import CONFIDENTIALITY, NAMED_TOOL, TOOL, declare
from mutx.governance.types import ApprovalSpec

MAX_RULES = 50_000
ESCALATE_SHARE = 0.6
"""Escalation comes after 3 minutes of 5 unless the rule says otherwise."""


def _rule(
    *,
    effect: RuleEffect,
    approvers: dict[str, tuple[str, ...]] | None = None,
    timeout: float | None = None,
    quorum: int = 1,
    escalate: dict[str, Any] | None = None,
    **fields: Any,
) -> PolicyRule:
    if (effect is RuleEffect.MODIFY) != bool(fields.get("modify")):
        raise ValueError("`modify` steps go with `effect: modify`, and that effect needs at least one")
    if fields.get("final") and effect is not RuleEffect.DENY:
        raise ValueError("`final` goes with `effect: deny` only")
    approval = _approval(approvers, timeout or ApprovalSpec().timeout, quorum, escalate or {})
    fields.setdefault("name", fields["id"])
    return PolicyRule(effect=effect, approval=approval, **fields)


def _approval(
    approvers: dict[str, tuple[str, ...]] | None, timeout: float, quorum: int, escalate: dict[str, Any]
) -> ApprovalSpec:
    default = ApprovalSpec()
    return ApprovalSpec(
        roles=default.roles if approvers is None else approvers.get("roles", ()),
        users=() if approvers is None else approvers.get("users", ()),
        quorum=quorum,
        timeout=timeout,
        escalate_after=escalate.get("after", ESCALATE_SHARE * timeout),
        escalate_to=escalate.get("to", default.escalate_to),
    )


def _approvers(**names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    if not any(names.values()):
        raise ValueError("name at least one role or user, or leave `approvers` out")
    return names


def _composition(*, then: dict[str, str], within: float | None = None, **fields: Any) -> Composition:
    if within is not None and fields["after"].tool is None:
        raise ValueError("`within` goes with `after: {tool: ...}`; labels stay for the whole session")
    return Composition(then=then["tool"], within=within, **fields)


def _earlier(**fields: Any) -> Earlier:
    if fields.get("untrusted") is False:
        raise ValueError("`untrusted` is true or left out")
    return Earlier(**fields)


_MODIFY = {"required": ["effect"], "properties": {"effect": {"const": "modify"}}}
_DENY = {"required": ["effect"], "properties": {"effect": {"const": "deny"}}}
_FINAL = {"required": ["final"], "properties": {"final": {"const": True}}}

RULE = Record(
    _rule,
    {
        "id": ID,
        "name": NAME,
        "enabled": Flag(),
        "priority": Number(least=-1_000_000, most=1_000_000, whole=True),
        "match": MATCH,
        "when": EXPRESSION,
        "effect": Choice(RuleEffect),
        "final": Flag(),
        "modify": Several(STEP, least=1, most=50),
        "approvers": Record(_approvers, {"roles": NAMES, "users": NAMES}),
        "timeout": DURATION,
        "quorum": Number(least=1, most=20, whole=True),
        "escalate": Record(dict, {"after": DURATION, "to": NAMES}),
        "rate": RATE,
        "budget": BUDGET,
        "require_alignment": Flag(),
        "notify": NAMES,
        "reason": PROSE,
    },
    required=("id", "effect"),
    line=True,
    rules=(
        {"if": _MODIFY, "then": {"required": ["modify"]}, "else": {"properties": {"modify": False}}},
        {"if": _FINAL, "then": _DENY},
    ),
)
EARLIER = Record(
    _earlier,
    {"tool": GLOB, "confidentiality": CONFIDENTIALITY, "untrusted": Flag()},
    exactly_one=("tool", "confidentiality", "untrusted"),
    rules=({"properties": {"untrusted": {"const": True}}},),
)
FORBID = Record(
    _composition,
    {
        "id": ID,
        "after": EARLIER,
        "then": Record(dict, {"tool": GLOB}, required=("tool",)),
        "within": DURATION,
        "reason": PROSE,
    },
    required=("after", "then"),
    line=True,
    rules=({"if": {"required": ["within"]}, "then": {"properties": {"after": {"required": ["tool"]}}}},),
)
INTENT = Record(
    IntentEffects,
    {
        "suspected": Choice(OUTCOME),
        "confirmed": Choice(OUTCOME),
        "profile": Choice({name: name for name in THRESHOLDS}),
    },
)


def _tools(found: tuple[Any, ...]) -> tuple[DeclaredTool, ...]:
    return tuple(declare(*one) if isinstance(one, tuple) else one for one in found)


def _document(**fields: Any) -> dict[str, Any]:
    fields["tools"] = _tools(fields.get("tools", ()))
    return fields


DOCUMENT = Record(
    _document,
    {
        "name": ID,
        "description": PROSE,
        "enabled": Flag(),
        "default": Choice(OUTCOME | {"none": None}),
        "tools": Either((list, Several(TOOL, most=10_000)), (dict, Named(GLOB, NAMED_TOOL, most=10_000))),
        "defaults": Several(DEFAULT, most=1000),
        "rules": Several(RULE, most=MAX_RULES),
        "limits": Several(LIMIT, most=1000),
        "rewrites": Several(REWRITE, most=1000),
        "phases": Several(PHASE, most=100),
        "forbid": Several(FORBID, most=1000),
        "forbidden": Several(GLOB, most=1000),
        "intent": INTENT,
    },
    required=("name",),
)
