"""What is probably a mistake in documents that are valid each by itself: `lint(documents)` -> findings, with lines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mutx.governance.policy import history
from mutx.governance.policy.conditions import Condition, unknown_fields, unknown_variables
from mutx.governance.policy.finding import Finding, LintSeverity
from mutx.governance.policy.globs import overlap
from mutx.governance.policy.lint_kinds import check_kinds
from mutx.governance.policy.lint_pairs import compare_rules
from mutx.governance.policy.model import PolicyDocument, PolicyRule
from mutx.governance.policy.postings import ordered
from mutx.governance.policy.variables import FIELDS
from mutx.governance.types import Effect

FUNCTIONS = frozenset(
    "size has matches contains startsWith endsWith int uint double string bytes bool duration timestamp type dyn "
    "max min optional exists exists_one all map filter abs ceil floor round getFullYear getMonth getDayOfYear "
    "getDayOfMonth getDate getDayOfWeek getHours getMinutes getSeconds getMilliseconds".split()
).union(history.SHAPES)
"""Functions that conditions may call; operators have names with signs."""


def lint(documents: Sequence[PolicyDocument]) -> tuple[Finding, ...]:
    """Findings in order of policy and line. Looks at enabled documents and rules only."""
    enabled = [document for document in documents if document.enabled]
    found = [finding for document in enabled for finding in _document(document)]
    found += _names(enabled)
    found += _undeclared(enabled)
    found += check_kinds(enabled)
    found += compare_rules([(one.name, rule) for one in enabled for rule in one.rules if rule.enabled])
    return tuple(ordered(found, key=lambda one: (one.policy, one.line, one.code, one.rule)))


def _document(document: PolicyDocument) -> Iterator[Finding]:
    for rule in document.rules:
        if rule.enabled:
            for severity, code, message in _rule(rule):
                yield Finding(severity, code, document.name, rule.line, rule.id, message)


def _rule(rule: PolicyRule) -> Iterator[tuple[LintSeverity, str, str]]:
    conditions = [rule.when, rule.budget.amount if rule.budget else None]
    for condition in conditions:
        if condition is not None:
            yield from _condition(condition)
    approval = rule.approval
    if approval.escalate_after is not None and approval.escalate_after >= approval.timeout:
        text = f"escalation after {approval.escalate_after:g} s never comes: the request expires after {approval.timeout:g} s"
        yield LintSeverity.ERROR, "escalation_after_expiry", text
    limits: list[float | None] = [rule.rate.per_minute, rule.rate.per_session] if rule.rate else []
    limits += [rule.budget.limit] if rule.budget else []
    if limits and rule.effect.effect in {Effect.DENY, Effect.DEFER}:
        yield LintSeverity.WARNING, "limit_without_allow", f"a limit on a rule that says {rule.effect} counts nothing"
    if 0 in limits:
        yield LintSeverity.WARNING, "limit_zero", "a limit of 0 lets nothing through; say `effect: deny` instead"


def _condition(condition: Condition) -> Iterator[tuple[LintSeverity, str, str]]:
    for name in unknown_variables(condition):
        text = f"`{name}` is no variable; known are action, args, session, identity, time"
        yield LintSeverity.ERROR, "unknown_variable", text
    for path in unknown_fields(condition, FIELDS):
        root = path.partition(".")[0]
        text = f"`{path}` is no field; {root} has {', '.join(sorted(FIELDS[root]))}"
        yield LintSeverity.ERROR, "unknown_field", text
    for name in condition.functions:
        if name.isidentifier() and not name.startswith("_") and name not in FUNCTIONS:
            yield LintSeverity.ERROR, "unknown_function", f"`{name}` is no function of conditions"


def _names(enabled: Sequence[PolicyDocument]) -> Iterator[Finding]:
    for name, count in Counter(document.name for document in enabled).items():
        if count > 1:
            text = f"{count} documents are called {name}; only one can be in force"
            yield Finding(LintSeverity.ERROR, "duplicate_policy", name, 1, "", text)
    owner: dict[str, str] = {}
    for document in enabled:
        for tool in document.tools:
            first = owner.setdefault(tool.schema.name, document.name)
            if first != document.name:
                text = f"tool {tool.schema.name} is declared in {first} as well; the riskier declaration holds"
                yield Finding(LintSeverity.WARNING, "duplicate_tool", document.name, tool.line, "", text)


def _undeclared(enabled: Sequence[PolicyDocument]) -> Iterator[Finding]:
    declared = {tool.schema.name for document in enabled for tool in document.tools}
    if not declared:
        return
    known: dict[str, bool] = {}
    for document in enabled:
        for rule in document.rules:
            tool = rule.match.tool
            if rule.enabled and not known.setdefault(tool, tool in declared or _any_overlap(tool, declared)):
                text = f"no declared tool matches {tool}"
                yield Finding(LintSeverity.WARNING, "undeclared_tool", document.name, rule.line, rule.id, text)


def _any_overlap(tool: str, declared: Iterable[str]) -> bool:
    return any(overlap(tool, name) for name in declared)
