"""Modify steps: new arguments from old ones, and what was done, without values. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mutx.governance.detectors import DETECTORS
from mutx.governance.patterns import compile_pattern
from mutx.governance.policy.model import ModifyStep, StepKind

GONE = object()
EACH = "[*]"
_PART = re.compile(r"\[\*\]|[^.\[\]]+")

Change = Callable[[Any, dict[str, int]], Any]
"""Old value -> new value (GONE: leave it out); counts what it found."""


class Rewriter:
    """The steps of one rule, patterns compiled."""

    __slots__ = ("_steps",)

    def __init__(self, steps: Sequence[ModifyStep]) -> None:
        self._steps = [(step, _PART.findall(step.path), _change(step)) for step in steps]

    def apply(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """New arguments and one line per step. `arguments` stays as it is."""
        done: list[str] = []
        for step, parts, change in self._steps:
            found: dict[str, int] = {}
            changed = rewrite(arguments, parts, change, found)
            done.append(_line(step, found))
            arguments = changed
        return arguments, tuple(done)


def rewrite(value: Any, parts: Sequence[str], change: Change, found: dict[str, int]) -> Any:
    """A copy of `value` with the place that `parts` name changed; the same value where there is no such place."""
    if not parts:
        found["seen"] = found.get("seen", 0) + 1
        return change(value, found)
    part, rest = parts[0], parts[1:]
    if part == EACH and isinstance(value, list):
        return [new for item in value if (new := rewrite(item, rest, change, found)) is not GONE]
    if part == EACH or not isinstance(value, dict) or part not in value:
        return value
    new = rewrite(value[part], rest, change, found)
    return {key: new if key == part else old for key, old in value.items() if key != part or new is not GONE}


def _change(step: ModifyStep) -> Change:
    match step.kind:
        case StepKind.SET:
            return lambda _, found: _counted(found, "set", step.value)
        case StepKind.REMOVE:
            return lambda _, found: _counted(found, "removed", GONE)
        case StepKind.REDACT:
            return _redactor(step)
        case StepKind.TRUNCATE:
            return lambda value, found: _truncate(value, int(step.max), found)
    return lambda value, found: _cap(value, step.max, found)


def _counted(found: dict[str, int], what: str, value: Any) -> Any:
    found[what] = found.get(what, 0) + 1
    return value


def _truncate(value: Any, most: int, found: dict[str, int]) -> Any:
    if not isinstance(value, str) or len(value) <= most:
        return value
    return _counted(found, "cut", value[:most])


def _cap(value: Any, most: float, found: dict[str, int]) -> Any:
    if type(value) not in {int, float} or value <= most:
        return value
    return _counted(found, "capped", int(most) if most == int(most) else most)


def _redactor(step: ModifyStep) -> Change:
    finders = [(name, _spans(name)) for name in step.detectors]
    if step.pattern is not None:
        pattern = compile_pattern(step.pattern)
        finders.append(("pattern", lambda text: [match.span() for match in pattern.finditer(text)]))

    def redact(value: Any, found: dict[str, int]) -> Any:
        if isinstance(value, dict):
            return {key: redact(inner, found) for key, inner in value.items()}
        if isinstance(value, list):
            return [redact(inner, found) for inner in value]
        if not isinstance(value, str):
            return value
        for name, spans in finders:
            mark = f"[REDACTED:{name}]" if step.replacement is None else step.replacement
            value = _replaced(value, spans(value), mark, name, found)
        return value

    return redact


def _spans(name: str) -> Callable[[str], list[tuple[int, int]]]:
    detector = DETECTORS[name]
    return lambda text: list(detector(text))


def _replaced(text: str, spans: Sequence[tuple[int, int]], mark: str, name: str, found: dict[str, int]) -> str:
    pieces, at = [], 0
    for start, end in spans:
        if end > start:
            pieces += [text[at:start], mark]
            at = end
            found[name] = found.get(name, 0) + 1
    return "".join([*pieces, text[at:]])


def _line(step: ModifyStep, found: Mapping[str, int]) -> str:
    """`redact body (ssn x1)`"""
    if not found.get("seen"):
        return f"{step.kind} {step.path} (absent)"
    done = ", ".join(f"{name} x{count}" for name, count in found.items() if name != "seen")
    return f"{step.kind} {step.path} ({done or 'nothing to do'})"
