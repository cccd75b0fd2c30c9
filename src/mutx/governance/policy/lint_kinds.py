"""Conditions that can never be true or false, seen from what the tools' declarations say of their arguments."""

from collections.abc import Iterator, Mapping, Sequence

from mutx.governance.policy.conditions import Condition
from mutx.governance.policy.finding import Finding, LintSeverity
from mutx.governance.policy.grammar_terms import ADVICE
from mutx.governance.policy.guards import GuardKind
from mutx.governance.policy.kinds import Kind
from mutx.governance.policy.model import PolicyDocument
from mutx.governance.policy.variables import field_kind
from mutx.governance.tools import ParameterType

Kinds = Mapping[str, Kind | None]
"""Parameter -> what it holds, where the declarations agree."""

KIND_OF: Mapping[ParameterType, Kind] = {
    ParameterType.STRING: Kind.TEXT,
    ParameterType.NUMBER: Kind.NUMBER,
    ParameterType.INTEGER: Kind.NUMBER,
    ParameterType.BOOLEAN: Kind.BOOLEAN,
    ParameterType.ARRAY: Kind.LIST,
    ParameterType.OBJECT: Kind.MAP,
}


def check_kinds(enabled: Sequence[PolicyDocument]) -> Iterator[Finding]:
    """An error for a condition that is certainly not boolean, a warning for an argument that stands for one by itself."""
    declared = _declared(enabled)
    for document in enabled:
        for rule in document.rules:
            if rule.enabled and rule.when is not None:
                found = _remark(rule.when, declared.get(rule.match.tool, {}))
                if found is not None:
                    yield Finding(found[0], found[1], document.name, rule.line, rule.id, found[2])


def _declared(enabled: Sequence[PolicyDocument]) -> dict[str, dict[str, Kind | None]]:
    """Tool -> the kinds of its parameters. Declarations of one tool that disagree say nothing."""
    found: dict[str, dict[str, Kind | None]] = {}
    for document in enabled:
        for tool in document.tools:
            kinds = {one.name: KIND_OF.get(one.type) for one in tool.schema.parameters}
            known = found.setdefault(tool.schema.name, kinds)
            if known is not kinds:
                found[tool.schema.name] = {name: kind for name, kind in known.items() if kinds.get(name) is kind}
    return found


def _remark(condition: Condition, kinds: Kinds) -> tuple[LintSeverity, str, str] | None:
    def of(path: tuple[str, ...]) -> Kind | None:
        return kinds.get(path[1]) if len(path) == 2 and path[0] == "args" else field_kind(path)

    if misfit := condition.not_boolean(of):
        text = f"`{misfit.part}` is {misfit.kind}, and a condition must be {Kind.BOOLEAN}: {ADVICE}"
        return LintSeverity.ERROR, "not_boolean", text
    alone = [guard.path for guard in condition.guards if guard.kind is GuardKind.TRUTH and guard.path[0] == "args"]
    unknown = next((".".join(path) for path in alone if of(path) is not Kind.BOOLEAN), None)
    if unknown is None:
        return None
    text = (
        f"`{unknown}` stands for a condition by itself: a call in which it is not true or false is deferred; compare it, "
        "or declare it as `boolean` under `tools`"
    )
    return LintSeverity.WARNING, "bare_argument", text
