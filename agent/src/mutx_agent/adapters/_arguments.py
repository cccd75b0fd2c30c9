"""Arguments that are Python objects, on their way past a policy and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from mutx_agent.errors import ActionDenied
from mutx_agent.transport.base import Json
from mutx_agent.values import CannotModify, back, to_json


def with_changes(tool: str, given: Mapping[str, Any], changed: Json) -> dict[str, Any]:
    """`given` as the policy changed it; what it left alone stays the very object it was. Raises ActionDenied."""
    try:
        merged: dict[str, Any] = back(dict(given), to_json(dict(given)), changed)
    except CannotModify as error:
        raise ActionDenied(str(error), reason_code="cannot_modify", tool_name=tool) from error
    return merged


def named(names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Positional arguments under the names that a tool declares, keyword ones as they are."""
    known = [*names, *(f"argument_{place}" for place in range(len(names), len(args)))]
    return {**dict(zip(known, args, strict=False)), **kwargs}
