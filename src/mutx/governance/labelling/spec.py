"""Tools as an agent is told of them, whatever the format: OpenAPI, MCP, function specs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec import Struct

from mutx.kit.errors import InputError

MAX_TOOLS = 2000
MAX_PARAMETERS = 100
MAX_PARTS, MAX_PARTS_DEPTH = 16, 4
"""Of an `allOf`: schemas, and those within those."""
_COMPOSED = ("allOf", "anyOf", "oneOf")
_UNNAMED = re.compile(r"[^A-Za-z0-9]+")
MAX_DEPTH = 3
"""Objects within objects whose properties count as parameters of their own."""
MAX_FORMS = 8
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class ParameterSpec(Struct, frozen=True):
    name: str
    description: str = ""
    type: str = ""
    """JSON Schema's type of the value, or of an array's items; empty if several fit."""
    required: bool = True
    """False only where the schema says so."""


class ToolSpec(Struct, frozen=True, kw_only=True):
    """One tool: nothing but what its author wrote."""

    name: str
    description: str = ""
    parameters: tuple[ParameterSpec, ...] = ()
    reads: bool | None = None
    """What the format itself says: an HTTP method, an MCP hint."""


def read_specs(content: Any) -> list[ToolSpec]:
    """Tools of an OpenAPI document, an MCP `tools/list` answer, or a list of function specs. Raises InputError."""
    if isinstance(content, Mapping) and "paths" in content:
        found = list(_openapi(content))
    else:
        found = [_tool(one) for one in _listed(content)]
    if not found or len(found) > MAX_TOOLS:
        raise InputError(f"between 1 and {MAX_TOOLS} tools are needed; {len(found)} were found")
    names = [tool.name for tool in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"tool {twice} is listed twice: give each its own name")
    return found


def _listed(content: Any) -> list[Any]:
    for key in ("result", "tools", "functions"):
        if isinstance(content, Mapping) and key in content:
            return _listed(content[key])
    if isinstance(content, list):
        return content
    raise InputError("an OpenAPI document (`paths`), an MCP answer (`tools`) or a list of function specs is needed")


def _tool(one: Any) -> ToolSpec:
    if isinstance(one, Mapping) and isinstance(one.get("function"), Mapping):
        one = one["function"]
    if not isinstance(one, Mapping) or not isinstance(one.get("name"), str) or not one["name"]:
        raise InputError("every tool needs a `name`")
    schema = next((one[key] for key in ("inputSchema", "input_schema", "parameters") if key in one), None)
    hints = one.get("annotations")
    reads = None
    if isinstance(hints, Mapping):
        # A hint that a tool changes something is believed; one that it does not is checked against its words.
        reads = False if hints.get("destructiveHint") is True or hints.get("readOnlyHint") is False else None
    return ToolSpec(
        name=one["name"], description=_text(one.get("description")), parameters=_parameters(schema), reads=reads
    )


def _parameters(schema: Any, document: Mapping[str, Any] | None = None) -> tuple[ParameterSpec, ...]:
    found = _within(_mapping(schema) if document is None else document, schema, "", MAX_DEPTH)
    return tuple(islice(found, MAX_PARAMETERS))


def _within(document: Mapping[str, Any], schema: Any, above: str, depth: int) -> Iterator[ParameterSpec]:
    """An object's properties; of one that is an object, or a list of objects, what it holds instead."""
    whole = _resolved(document, schema)
    required = whole.get("required")
    for name, given in _mapping(whole.get("properties")).items():
        one = _resolved(document, given) or given
        path, inner = f"{above}{name}", next(_objects(document, one), None)
        if inner is None or depth == 0 or "." in str(name):
            needed = name in required if isinstance(required, list) else "default" not in _mapping(given)
            yield ParameterSpec(path, _described(given) or _described(one), _type(one), needed)
        else:
            yield from _within(document, inner, f"{path}.", depth - 1)


def _objects(document: Mapping[str, Any], schema: Any) -> Iterator[Mapping[str, Any]]:
    """Of a value's forms, those with properties of their own."""
    for form in (schema, *(_listing(schema, "anyOf")), *(_listing(schema, "oneOf"))):
        one = _resolved(document, form)
        one = _resolved(document, one["items"]) if isinstance(one.get("items"), Mapping) else one
        if _mapping(one.get("properties")):
            yield one


def _listing(schema: Any, key: str) -> list[Any]:
    found = _mapping(schema).get(key)
    return found[:MAX_FORMS] if isinstance(found, list) else []


def _described(schema: Any) -> str:
    return _text(schema.get("description")) if isinstance(schema, Mapping) else ""


def _type(schema: Any) -> str:
    """Of the value, through unions with null and arrays."""
    if not isinstance(schema, Mapping):
        return ""
    found: Iterable[Any] = schema.get("anyOf") or schema.get("oneOf") or [schema]
    kinds = {_item_type(one) for one in found if isinstance(one, Mapping)} - {"null"}
    return kinds.pop() if len(kinds) == 1 else ""


def _item_type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "")
    if kind == "array":
        return _type(schema.get("items"))
    return kind if isinstance(kind, str) else ""


def _openapi(document: Mapping[str, Any]) -> Iterable[ToolSpec]:
    for path, item in _mapping(document["paths"]).items():
        shared = _mapping(item).get("parameters") or []
        for method, operation in _mapping(item).items():
            if method in METHODS and isinstance(operation, Mapping):
                yield _operation(document, str(path), method, operation, shared)


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], shared: Iterable[Any]
) -> ToolSpec:
    name = operation.get("operationId") or _UNNAMED.sub("_", f"{method}_{path}").strip("_")
    listed = [_resolved(document, one) for one in [*shared, *(operation.get("parameters") or [])]]
    parameters = [
        ParameterSpec(
            str(one["name"]),
            _text(one.get("description")),
            _type(_resolved(document, one.get("schema") or one)),
            one.get("required") is True,
        )
        for one in listed
        if "name" in one and one.get("in") != "body"
    ]
    for one in listed:
        if one.get("in") == "body":  # as Swagger 2 has it
            parameters += _parameters(one.get("schema"), document)
    body = _mapping(_resolved(document, operation.get("requestBody"))).get("content")
    for media in _mapping(body).values():
        parameters += _parameters(_mapping(media).get("schema"), document)
        break
    words = " ".join(filter(None, (_text(operation.get("summary")), _text(operation.get("description")))))
    return ToolSpec(
        name=str(name),
        description=words,
        parameters=tuple(parameters[:MAX_PARAMETERS]),
        reads=True if method in {"get", "head", "options"} else None,
    )


def _resolved(document: Mapping[str, Any], value: Any, depth: int = MAX_PARTS_DEPTH) -> Mapping[str, Any]:
    """A `$ref` within the document, followed a few steps, and what it is `allOf`."""
    for _ in range(8):
        found = _mapping(value)
        reference = found.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return _joined(document, found, depth)
        target: Any = document
        for step in reference[2:].split("/"):
            target = _mapping(target).get(step.replace("~1", "/").replace("~0", "~"))
        value = target
    return {}


def _joined(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
    """A schema with the properties of all that it is made of (`allOf`) or may be, a few levels deep."""
    if depth == 0 or not any(key in schema for key in _COMPOSED):
        return schema
    rest = {key: value for key, value in schema.items() if key != "allOf"}
    properties: dict[str, Any] = {}
    for key in _COMPOSED:
        parts = schema.get(key)
        for part in parts[:MAX_PARTS] if isinstance(parts, list) else ():
            found = _resolved(document, part, depth - 1)
            properties |= _mapping(found.get("properties"))
            if key == "allOf":
                rest = {**found, **rest}
    properties |= _mapping(schema.get("properties"))
    return {**rest, "properties": properties} if properties else rest


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value[:4000] if isinstance(value, str) else ""
