"""A tool's JSON schema as a declaration of a policy: what can be held of it, and never more than the server said.

A server's own hints (`readOnlyHint`, ...) are claims of somebody untrusted: they make a declaration stricter, never laxer.
"""

from collections.abc import Mapping
from typing import Any

from mutx.governance.patterns import compile_pattern
from mutx.services.mcp.definitions import Json

TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})
MAX_PARAMETERS = 200
MAX_VALUES = 1000
MAX_NAME = 200
MAX_PATTERN = 900
LARGEST = 2**53 - 1

_BOUNDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "string": (("minLength", "min_length"), ("maxLength", "max_length")),
    "array": (("minItems", "min_length"), ("maxItems", "max_length")),
    "object": (("minProperties", "min_length"), ("maxProperties", "max_length")),
    "number": (("minimum", "min"), ("maximum", "max")),
    "integer": (("minimum", "min"), ("maximum", "max")),
}


def declaration(name: str, definition: Json) -> Json:
    """One entry of a policy's `tools`. Its output is untrusted, and restricted until a person says otherwise."""
    schema = definition.get("input_schema") or {}
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    required = required if isinstance(required, list) else []
    named = {key: value for key, value in properties.items() if 0 < len(key) <= MAX_NAME}
    found: Json = {"name": name}
    if named and len(named) <= MAX_PARAMETERS:
        found["parameters"] = {key: _parameter(value, key in required) for key, value in named.items()}
        if schema.get("additionalProperties") is False and len(named) == len(properties):
            found["additional_parameters"] = False
    hints = definition.get("annotations") or {}
    if hints.get("destructiveHint") is True and hints.get("readOnlyHint") is not True:
        found |= {"access": "delete", "risk": "high"}
    return found | {"output": {"confidentiality": "restricted", "trusted": False}}


def _parameter(schema: Any, required: bool) -> Json:
    found: Json = {"required": True} if required else {}
    if not isinstance(schema, dict):
        return found
    kind = schema.get("type")
    if not (isinstance(kind, str) and kind in TYPES):
        return found
    found["type"] = kind
    for theirs, ours in _BOUNDS.get(kind, ()):
        value = schema.get(theirs)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST:
            found[ours] = value
    if _contradicts(found):
        return {"type": kind} | ({"required": True} if required else {})
    if kind == "string" and (pattern := _pattern(schema.get("pattern"))) is not None:
        found["pattern"] = pattern
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list) and 0 < len(values) <= MAX_VALUES and all(map(_plain, values)):
        found["allowed"] = values
    return found


def _contradicts(found: Json) -> bool:
    return any(
        low in found and high in found and found[low] > found[high]
        for low, high in (("min", "max"), ("min_length", "max_length"))
    )


def _plain(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) <= LARGEST
    return isinstance(value, str | float | bool) and len(str(value)) <= MAX_PATTERN


def _pattern(text: Any) -> str | None:
    """A JSON schema's pattern holds anywhere in the text, a policy's for the whole of it. None where RE2 has no such pattern."""
    if not isinstance(text, str) or len(text) > MAX_PATTERN:
        return None
    whole = f"(?s:.*)(?:{text})(?s:.*)"
    try:
        compile_pattern(whole)
    except ValueError:
        return None
    return whole
