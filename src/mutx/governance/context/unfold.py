"""JSON, or what Python prints of the like, handed over as text: what a tool laid out in fields stays in fields."""

import ast
import json
import re
from typing import Any

from mutx.governance.context.leaves import MAX_CHARS

MAX_BLOCKS = 100
"""Blocks of text of one answer that are opened."""
MAX_PRINTED = 32 * 1024
"""Characters of what Python printed that are read: slower than JSON."""
_PRINTED = re.compile(r"[\[{]\s*(?:[\[{('\"\d-]|[A-Za-z_][\w.]{0,80}\()|[A-Za-z_][\w.]{0,80}\(")
_OBJECT = re.compile(r"[A-Z]\w{0,80}\([a-z_]\w{0,80}=[^\n]*\)\Z")
_DATED = ("year", "month", "day")


def unfolded(output: Any) -> Any:
    """The output with the texts that it consists of opened, where these are JSON objects or lists, or printed ones.

    That is the output itself, or the blocks of text of an MCP answer. Texts within fields stay closed: somebody else may
    have written them, and what is in them is no field of the tool's.
    """
    if isinstance(output, str):
        return _opened(output)
    if isinstance(output, dict) and isinstance(output.get("content"), list):
        return {**output, "content": unfolded(output["content"])}
    if isinstance(output, list) and len(output) <= MAX_BLOCKS and any(map(_is_block, output)):
        return [{**one, "text": _opened(one["text"])} if _is_block(one) else one for one in output]
    return output


def _is_block(one: Any) -> bool:
    return isinstance(one, dict) and one.get("type") == "text" and isinstance(one.get("text"), str)


def _opened(text: str) -> Any:
    bare = text.strip() if len(text) <= MAX_CHARS else ""
    if not bare or not (bare[0] + bare[-1] in {"{}", "[]"} or _OBJECT.match(bare)):
        return text
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        return _printed(bare) or text


def _printed(text: str) -> Any:
    """What Python prints of lists, mappings and objects; None: it is something else."""
    if len(text) > MAX_PRINTED or _PRINTED.match(text) is None:
        return None
    try:
        # Through JSON: what is no list, mapping, text or number is none of ours.
        return json.loads(json.dumps(_value(ast.parse(text, mode="eval").body)))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Any:
    """Of literals, and of objects printed as `Name(key=value)`. Nothing is called. Raises ValueError for all else."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            return {str(_value(key)): _value(value) for key, value in zip(keys, values, strict=True) if key}
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=given, keywords=named):
            return _object(name, [_value(one) for one in given], {one.arg: _value(one.value) for one in named})
    raise ValueError(type(node).__name__)


def _object(name: str, given: list[Any], named: dict[str | None, Any]) -> Any:
    """An object's fields; of one that holds a single value (`Decimal('4.2')`) that, of a date its usual form."""
    if None in named or (given and named):
        raise ValueError(name)
    if name in {"date", "datetime"} and len(given) >= len(_DATED) and all(isinstance(one, int) for one in given):
        day, clock = given[:3], given[3:5]
        written = "-".join(f"{part:02d}" for part in day)
        return written + ("T" + ":".join(f"{part:02d}" for part in clock) if clock else "")
    if given:
        return given[0] if len(given) == 1 else given
    return named
