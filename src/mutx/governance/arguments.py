"""Are a call's arguments what the tool's declaration says? Linear in the size of the call, whatever is in it."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from mutx.governance.patterns import compile_pattern
from mutx.governance.tools import ParameterConstraint, ParameterType, ToolSchema
from mutx.kit.errors import PolicyInvalid

MAX_VIOLATIONS = 20
MAX_NAME = 64
"""Characters of an undeclared parameter's name that are repeated in a message."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_IS_TYPE: Mapping[ParameterType, Callable[[Any], bool]] = {
    ParameterType.STRING: lambda value: isinstance(value, str),
    ParameterType.NUMBER: _is_number,
    ParameterType.INTEGER: lambda value: _is_number(value) and value == int(value),
    ParameterType.BOOLEAN: lambda value: isinstance(value, bool),
    ParameterType.ARRAY: lambda value: isinstance(value, list),
    ParameterType.OBJECT: lambda value: isinstance(value, dict),
    ParameterType.ANY: lambda value: not isinstance(value, float) or math.isfinite(value),
}

_A_TYPE: Mapping[ParameterType, str] = {
    ParameterType.STRING: "a string",
    ParameterType.NUMBER: "a finite number",
    ParameterType.INTEGER: "an integer",
    ParameterType.BOOLEAN: "true or false",
    ParameterType.ARRAY: "an array",
    ParameterType.OBJECT: "an object",
    ParameterType.ANY: "a finite number or another JSON value",
}


def violations(schema: ToolSchema, args: Mapping[str, Any]) -> tuple[str, ...]:
    """What is wrong with the arguments, at most `MAX_VIOLATIONS` messages; none: they fit.

    A message names the parameter and what it must be, never its value, which may be a secret. Strings are compared
    code point by code point: look-alikes are other strings. Raises PolicyInvalid for a pattern that RE2 cannot read
    (the policy compiler refuses such a policy before it is in force).
    """
    found: list[str] = []
    for constraint in schema.parameters:
        value = args.get(constraint.name)
        if value is not None:
            found.extend(f"parameter {constraint.name!r} {problem}" for problem in _problems(constraint, value))
        elif constraint.required:
            found.append(f"parameter {constraint.name!r} is required")
    if not schema.additional_parameters:
        declared = {constraint.name for constraint in schema.parameters}
        found.extend(f"parameter {name[:MAX_NAME]!r} is not declared" for name in args if name not in declared)
    return tuple(found[:MAX_VIOLATIONS])


@lru_cache(maxsize=4096)
def full_match(pattern: str) -> Callable[[str], object]:
    """The RE2 matcher of a whole string, compiled once. Raises PolicyInvalid."""
    try:
        return compile_pattern(pattern).fullmatch  # type: ignore[no-any-return]
    except ValueError as error:
        raise PolicyInvalid(f"pattern {pattern[:MAX_NAME]!r}: {error}") from None


def _problems(constraint: ParameterConstraint, value: Any) -> Iterator[str]:
    if not _IS_TYPE[constraint.type](value):
        yield f"must be {_A_TYPE[constraint.type]}"
        return
    yield from _range_problems(constraint, value)
    too_long = False
    for problem in _length_problems(constraint, value):
        too_long = True
        yield problem
    if constraint.pattern is not None and not too_long and not _matches(constraint.pattern, value):
        yield "must match the declared pattern"
    if constraint.allowed_values is not None and not any(_same(value, one) for one in constraint.allowed_values):
        yield "must be one of the allowed values"
    if constraint.blocked_values is not None and any(_same(value, one) for one in constraint.blocked_values):
        yield "must not be one of the blocked values"


def _range_problems(constraint: ParameterConstraint, value: Any) -> Iterator[str]:
    low, high = constraint.min_value, constraint.max_value
    if low is None and high is None:
        return
    if not _is_number(value):
        yield "must be a finite number"
        return
    if low is not None and value < low:
        yield f"must be at least {low:g}"
    if high is not None and value > high:
        yield f"must be at most {high:g}"


def _length_problems(constraint: ParameterConstraint, value: Any) -> Iterator[str]:
    low, high = constraint.min_length, constraint.max_length
    if low is None and high is None:
        return
    if not isinstance(value, str | list | dict):
        yield "must be a string, an array or an object"
        return
    if low is not None and len(value) < low:
        yield f"must have a length of at least {low}"
    if high is not None and len(value) > high:
        yield f"must have a length of at most {high}"


def _matches(pattern: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return full_match(pattern)(value) is not None
    except UnicodeEncodeError:
        # a lone surrogate: not text, so nothing matches it
        return False


def _same(value: Any, listed: Any) -> bool:
    """JSON equality: 1 is 1.0, but true is not 1."""
    return isinstance(value, bool) is isinstance(listed, bool) and value == listed
