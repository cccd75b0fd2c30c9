"""Lists, mappings and objects as Python prints them, read without anything being called."""

import ast
import json
import re
from typing import Any

MAX_PRINTED = 32 * 1024
"""Characters that are read: slower than JSON."""
_PRINTED = re.compile(r"[\[{]\s*(?:[\[{('\"\d-]|[A-Za-z_][\w.]{0,80}\()|[A-Za-z_][\w.]{0,80}\(")
OBJECT = re.compile(r"[A-Z]\w{0,80}\([a-z_]\w{0,80}=[^\n]*\)\Z")
"""One object by itself: `Casting(ok=True)`."""
_DATED = ("year", "month", "day")


def printed(text: str) -> Any:
    """As plain values; None: it is something else."""
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
