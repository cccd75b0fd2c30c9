"""How a document declares a tool: the readable names of `ToolSchema`'s fields."""

from typing import Any

from mutx.governance.patterns import MAX_PATTERN, compile_pattern
from mutx.governance.policy.globs import MAX_GLOB
from mutx.governance.policy.model import DeclaredTool
from mutx.governance.policy.shapes import Choice, Flag, Named, Number, PlainValue, Record, Several, Shape, Text
from mutx.governance.requested import RequestWords
from mutx.governance.tools import Access, MetaTool, ParameterConstraint, ParameterType, ToolSchema
from mutx.governance.types import Confidentiality, Label, Risk


def pattern(text: str) -> str:
    """An RE2 pattern, as text. Raises ValueError if it is none."""
    compile_pattern(text)
    return text


_CONSTRAINTS = {"min": "min_value", "max": "max_value", "allowed": "allowed_values", "blocked": "blocked_values"}


def _parameter(**fields: Any) -> dict[str, Any]:
    found = {_CONSTRAINTS.get(name, name): value for name, value in fields.items()}
    for least, most in (("min_value", "max_value"), ("min_length", "max_length")):
        if least in found and most in found and found[least] > found[most]:
            raise ValueError(f"the {least.partition('_')[2]} has a minimum greater than its maximum: nothing fits")
    return found


def _schema(
    *, parameters: tuple[tuple[str, dict[str, Any], int], ...] = (), approval_timeout: float = 300, **fields: Any
) -> dict[str, Any]:
    constraints = tuple(ParameterConstraint(name=name, **rest) for name, rest, _ in parameters)
    return dict(fields, parameters=constraints, approval_timeout_seconds=int(approval_timeout))


def declare(name: str, fields: dict[str, Any], line: int) -> DeclaredTool:
    return DeclaredTool(schema=ToolSchema(name=name, **fields), line=line)


def _listed(*, name: str, line: int, **fields: Any) -> DeclaredTool:
    return declare(name, _schema(**fields), line)


CONFIDENTIALITY = Choice(
    {one.name.lower(): one for one in Confidentiality} | {one.name: one for one in Confidentiality}
)
PATH = Text(least=1, most=256, what="dotted argument path")
WORD = Text(most=200)
WORDS = Several(Text(least=1, most=40, what="word"), most=200)
COUNT = Number(least=0, whole=True)
VALUES = Several(PlainValue(), most=10_000)

PARAMETER = Record(
    _parameter,
    {
        "type": Choice(ParameterType),
        "required": Flag(),
        "min": Number(least=-(2**53)),
        "max": Number(least=-(2**53)),
        "min_length": COUNT,
        "max_length": COUNT,
        "pattern": Text(least=1, most=MAX_PATTERN, what="RE2 pattern", check=pattern),
        "allowed": VALUES,
        "blocked": VALUES,
    },
)
FIELDS: dict[str, Shape] = {
    "description": Text(),
    "category": WORD,
    "risk": Choice(Risk),
    "requires_approval": Flag(),
    "approval_timeout": Number(least=1, most=366 * 86400, whole=True),
    "parameters": Named(Text(least=1, most=200, what="parameter name"), PARAMETER),
    "additional_parameters": Flag(),
    "access": Choice(Access),
    "resource": PATH,
    "output": Record(Label, {"confidentiality": CONFIDENTIALITY, "trusted": Flag()}),
    "sink": CONFIDENTIALITY,
    "destination": PATH,
    "internal": Several(Text(least=1, most=MAX_GLOB, what="destination or glob"), most=1000),
    "declassifies": CONFIDENTIALITY,
    "accepts_untrusted": Flag(),
    "critical": Several(PATH, most=100),
    "ask_unknown": Flag(),
    "ask_invented": Flag(),
    "referable": Several(PATH, most=100),
    "selectable": Several(PATH, most=100),
    "lines": Flag(),
    "records": Flag(),
    "ask_instructed": Flag(),
    "ask_hearsay": Flag(),
    "requested_by": Record(
        RequestWords, {"words": WORDS, "verbs": WORDS, "objects": WORDS, "freely": Flag(), "closely": Flag()}
    ),
    "meta": Record(MetaTool, {"tool": PATH, "args": PATH, "prefix": WORD}, required=("tool",)),
}
TOOL = Record(
    _listed, {"name": Text(least=1, most=MAX_GLOB, what="tool name or glob"), **FIELDS}, required=("name",), line=True
)
NAMED_TOOL = Record(_schema, FIELDS)
