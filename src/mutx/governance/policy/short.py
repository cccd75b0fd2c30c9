"""The REST short form: `Policy` with block / allow / warn rules on input, output and tools.

Tool rules become rules of a PolicySet: `pattern` is a glob over tool names, the strictest that matches wins whatever the
order, `action: require_approval` asks a person. Input and output rules are RE2 patterns searched in the text that
`POST /v1/policies/evaluate` is given.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from mutx.governance.patterns import compile_pattern
from mutx.governance.policy.globs import MAX_GLOB
from mutx.governance.policy.model import PolicyDocument, PolicyRule, RuleEffect, RuleMatch
from mutx.governance.policy.nodes import PolicyProblem, refuse
from mutx.kit.canonical import digest

REQUIRE_APPROVAL = "require_approval"
PRIORITIES = {RuleEffect.DENY: 100, RuleEffect.STEP_UP: 110, RuleEffect.WARN: 120, RuleEffect.ALLOW: 130}
"""Strictest first."""


class ShortType(StrEnum):
    BLOCK = "block"
    ALLOW = "allow"
    WARN = "warn"


class ShortScope(StrEnum):
    INPUT = "input"
    OUTPUT = "output"
    TOOL = "tool"


class ShortRule(Struct, frozen=True, kw_only=True):
    type: ShortType
    pattern: str
    action: str
    scope: ShortScope

    @property
    def effect(self) -> RuleEffect:
        if self.action == REQUIRE_APPROVAL:
            return RuleEffect.STEP_UP
        return {ShortType.BLOCK: RuleEffect.DENY, ShortType.WARN: RuleEffect.WARN}.get(self.type, RuleEffect.ALLOW)


class ShortPolicy:
    """A short policy, checked and compiled."""

    __slots__ = ("_patterns", "document", "name", "rules")

    def __init__(self, name: str, rules: Sequence[ShortRule], *, enabled: bool = True) -> None:
        """Raises PolicyInvalid with every rule that is no glob or no RE2 pattern; its `line` is the rule's number."""
        self.name, self.rules = name, tuple(rules)
        self._patterns: list[tuple[ShortRule, Any]] = []
        problems = [problem for number, rule in enumerate(rules, 1) for problem in self._read(number, rule)]
        if problems:
            raise refuse(problems, document=name)
        self.document = _document(name, self.rules, enabled=enabled)

    def _read(self, number: int, rule: ShortRule) -> Iterable[PolicyProblem]:
        if rule.scope is ShortScope.TOOL:
            if not 1 <= len(rule.pattern) <= MAX_GLOB:
                message = f"rule {number}: a tool pattern has 1 to {MAX_GLOB} characters"
                yield PolicyProblem(line=number, code="invalid", message=message)
            return
        try:
            self._patterns.append((rule, compile_pattern(rule.pattern)))
        except ValueError as error:
            yield PolicyProblem(line=number, code="invalid", message=f"rule {number}: {error}")

    def evaluate_text(self, scope: ShortScope, text: str) -> tuple[ShortRule, ...]:
        """The input or output rules whose pattern occurs in the text, in their order. Linear in the text."""
        plain = text.encode("utf-8", "replace").decode("utf-8")
        return tuple(rule for rule, pattern in self._patterns if rule.scope is scope and pattern.search(plain))


def strictest(matches: Iterable[ShortRule]) -> RuleEffect:
    """What matches together say; allow if there are none."""
    return min((rule.effect for rule in matches), key=PRIORITIES.__getitem__, default=RuleEffect.ALLOW)


def short_policy(name: str, rules: Iterable[Mapping[str, str]], *, enabled: bool = True) -> ShortPolicy:
    """From the wire's dicts of type, pattern, action and scope. Raises PolicyInvalid."""
    read, problems = [], []
    for number, rule in enumerate(rules, 1):
        try:
            read.append(
                ShortRule(
                    type=ShortType(rule["type"]),
                    pattern=rule["pattern"],
                    action=rule["action"],
                    scope=ShortScope(rule["scope"]),
                )
            )
        except (KeyError, ValueError) as error:
            problems.append(PolicyProblem(line=number, code="invalid", message=f"rule {number}: {error}"))
    if problems:
        raise refuse(problems, document=name)
    return ShortPolicy(name, read, enabled=enabled)


def _document(name: str, rules: Sequence[ShortRule], *, enabled: bool) -> PolicyDocument:
    """The tool rules as a PolicySet. It names no default: what it does not mention is not its business."""
    tools = [(number, rule) for number, rule in enumerate(rules, 1) if rule.scope is ShortScope.TOOL]
    content = {
        "name": name,
        "enabled": enabled,
        "short": [[rule.type, rule.pattern, rule.action, rule.scope] for rule in rules],
    }
    return PolicyDocument(
        name=name,
        enabled=enabled,
        default=None,
        rules=tuple(
            PolicyRule(
                id=f"tool-{number}",
                name=f"{rule.type} {rule.pattern}",
                effect=rule.effect,
                priority=PRIORITIES[rule.effect],
                match=RuleMatch(tool=rule.pattern),
                reason=f"{name}: {rule.type} {rule.pattern} ({rule.action})",
                line=number,
            )
            for number, rule in tools
        ),
        digest=digest(content),
        content=content,
    )
