"""How a document writes a modify step: `- redact: body`, `  detector: [ssn, card]`."""

from typing import Any

from mutx.governance.detectors import DETECTORS
from mutx.governance.patterns import MAX_PATTERN
from mutx.governance.policy.model import ModifyStep, StepKind
from mutx.governance.policy.shapes import Anything, Choice, Number, Record, Several, Text
from mutx.governance.policy.tools_grammar import pattern

ARGUMENT = r"[^.\[\]]+(\[\*\]){0,8}(\.[^.\[\]]+(\[\*\]){0,8}){0,30}"
_PATH = Text(least=1, most=256, pattern=ARGUMENT, what="argument path like mail.to or items[*].name")
_COMPANIONS: dict[StepKind, tuple[frozenset[str], frozenset[str]]] = {
    StepKind.SET: (frozenset({"value"}), frozenset({"value"})),
    StepKind.REMOVE: (frozenset(), frozenset()),
    StepKind.REDACT: (frozenset(), frozenset({"detector", "pattern", "replacement"})),
    StepKind.TRUNCATE: (frozenset({"max"}), frozenset({"max"})),
    StepKind.CAP: (frozenset({"max"}), frozenset({"max"})),
}
"""Step -> fields that it needs, and those it may have."""
_FIELDS = ("value", "detector", "pattern", "replacement", "max")


def _step(*, detector: tuple[str, ...] = (), **fields: Any) -> ModifyStep:
    kind = next(kind for kind in StepKind if kind in fields)
    path = fields.pop(kind)
    given = set(fields) | ({"detector"} if detector else set())
    needed, allowed = _COMPANIONS[kind]
    if not needed <= given <= allowed or (kind is StepKind.REDACT and not given & {"detector", "pattern"}):
        raise ValueError(f"`{kind}` {_usage(kind)}")
    if kind is StepKind.TRUNCATE and (fields["max"] < 0 or fields["max"] != int(fields["max"])):
        raise ValueError("`max` of `truncate` is a whole number of characters")
    return ModifyStep(kind=kind, path=path, detectors=detector, **fields)


def _usage(kind: StepKind) -> str:
    if kind is StepKind.REDACT:
        return "takes `detector` or `pattern` or both, and `replacement` if you like"
    needed = _COMPANIONS[kind][0]
    return f"takes `{next(iter(needed))}` and nothing else" if needed else "takes nothing else"


def _rule(kind: StepKind) -> dict[str, Any]:
    """What `_step` refuses, in JSON Schema."""
    needed, allowed = _COMPANIONS[kind]
    then: dict[str, Any] = {"properties": {name: False for name in _FIELDS if name not in allowed}}
    if needed:
        then["required"] = sorted(needed)
    if kind is StepKind.REDACT:
        then["anyOf"] = [{"required": ["detector"]}, {"required": ["pattern"]}]
    if kind is StepKind.TRUNCATE:
        then["properties"]["max"] = {"type": "integer", "minimum": 0}
    return {"if": {"required": [kind.value]}, "then": then}


STEP = Record(
    _step,
    {
        **{kind.value: _PATH for kind in StepKind},
        "value": Anything(),
        "detector": Several(Choice({name: name for name in DETECTORS}), least=1, most=10, single=True),
        "pattern": Text(least=1, most=MAX_PATTERN, what="RE2 pattern", check=pattern),
        "replacement": Text(most=200),
        "max": Number(least=-(2**53)),
    },
    exactly_one=[kind.value for kind in StepKind],
    rules=[_rule(kind) for kind in StepKind],
)
