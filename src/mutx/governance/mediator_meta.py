"""Tools that carry another tool's name in their arguments: what is decided is the tool that will run."""

import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from mutx.governance.arguments_path import values_at
from mutx.governance.tools import MetaTool, ToolSchema

MAX_DEPTH = 8


class ResolvedCall(Struct, frozen=True, gc=False):
    """The innermost call, or the outer one and why it could not be opened."""

    tool_name: str
    tool_args: dict[str, Any]
    called_as: str | None = None
    error: str | None = None


class _UnreadableError(Exception):
    """The text is for the decision's reason; it never quotes an argument."""


def resolve_meta(tool_name: str, tool_args: dict[str, Any], tools: Callable[[str], ToolSchema | None]) -> ResolvedCall:
    """Open wrapped calls, at most `MAX_DEPTH` deep. What cannot be read keeps the outer name and has an `error`."""
    name, args = tool_name, tool_args
    try:
        for _ in range(MAX_DEPTH + 1):
            schema = tools(name)
            if schema is None or schema.meta is None:
                return ResolvedCall(name, args, None if name is tool_name else tool_name)
            name, args = _open(schema.meta, args)
    except _UnreadableError as error:
        return ResolvedCall(tool_name, tool_args, tool_name, str(error))
    return ResolvedCall(tool_name, tool_args, tool_name, f"wrapped more than {MAX_DEPTH} deep")


def _open(meta: MetaTool, args: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    inner = values_at(args, meta.tool)
    if len(inner) != 1 or not isinstance(inner[0], str) or not inner[0].strip():
        raise _UnreadableError(f"argument {meta.tool!r} must hold the inner tool's name")
    return meta.prefix + inner[0], _inner_args(meta, args)


def _inner_args(meta: MetaTool, args: dict[str, Any]) -> dict[str, Any]:
    """What `meta.args` names, an object or its JSON text; without a path, all arguments but the name."""
    if meta.args is None:
        outer = meta.tool.partition(".")[0]
        return {name: value for name, value in args.items() if name != outer}
    found = values_at(args, meta.args)
    if not found or found[0] is None:
        return {}
    value = _parse(found[0], meta.args) if isinstance(found[0], str) else found[0]
    if len(found) > 1 or not isinstance(value, dict):
        raise _UnreadableError(f"argument {meta.args!r} must hold the inner arguments: one object, or its JSON text")
    return value


def _parse(text: str, path: str) -> Any:
    """JSON without what two parsers may read differently: duplicate keys and NaN."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _UnreadableError(f"argument {path!r} is no valid JSON text") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse_constant(constant: str) -> Any:
    raise ValueError(constant)
