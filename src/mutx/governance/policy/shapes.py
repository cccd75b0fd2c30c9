"""Shapes of values: each reads a plain value, collecting every fault, and says itself in JSON Schema.

One definition, two uses: what the parser takes and what the published schema says cannot drift apart.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from mutx.governance.policy.faults import Fault, Faults, Lines, within

INVALID: Any = object()
"""What a reader returns after it noted a fault."""
MAX_FREE_DEPTH = 24
"""Containers inside one another in a value of no particular shape."""


class Shape(Protocol):
    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        """`lines`: the line of the value, or those of its entries; None where nobody asks for them."""

    def schema(self) -> dict[str, Any]: ...


class Text:
    """A string; `check` raises ValueError for what a pattern cannot say."""

    def __init__(
        self,
        *,
        least: int = 0,
        most: int = 2000,
        pattern: str | None = None,
        what: str = "text",
        check: Callable[[str], Any] | None = None,
    ) -> None:
        self._least, self._most, self._what = least, most, what
        self._pattern, self._check = pattern, check
        self._matches = re.compile(pattern).fullmatch if pattern else None

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        if not isinstance(value, str):
            return _wrong(faults, f"must be {self._what}; put it in quotes if it looks like something else")
        if not self._least <= len(value) <= self._most:
            return _wrong(faults, f"must have {self._least} to {self._most} characters")
        if self._matches is not None and self._matches(value) is None:
            return _wrong(faults, f"`{value[:80]}` is no {self._what} ({self._pattern})")
        if self._check is None:
            return value
        try:
            return self._check(value)
        except ValueError as error:
            return _wrong(faults, str(error))

    def schema(self) -> dict[str, Any]:
        pattern = {"pattern": f"^(?:{self._pattern})$"} if self._pattern else {}
        return {"type": "string", "minLength": self._least, "maxLength": self._most} | pattern


class Number:
    def __init__(self, *, least: float, most: float = 2**53 - 1, whole: bool = False) -> None:
        self._least, self._most, self._whole = least, most, whole

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        kind = type(value)
        if (kind is not int and kind is not float) or (self._whole and value != int(value)):
            return _wrong(faults, "must be a whole number" if self._whole else "must be a number")
        if not self._least <= value <= self._most:
            return _wrong(faults, f"must be from {self._least:g} to {self._most:g}")
        return int(value) if self._whole else value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer" if self._whole else "number", "minimum": self._least, "maximum": self._most}


class Flag:
    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        return value if type(value) is bool else _wrong(faults, "must be true or false")

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Choice:
    """One of some words, each standing for a value."""

    def __init__(self, values: Mapping[str, Any] | type[Enum]) -> None:
        self._values = values if isinstance(values, Mapping) else {str(one.value): one for one in values}

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        if isinstance(value, str) and value in self._values:
            return self._values[value]
        return _wrong(faults, f"must be one of {', '.join(self._values)}")

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self._values)}


class Anything:
    """Any JSON value."""

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        if _deeper(value, MAX_FREE_DEPTH):
            return _wrong(faults, f"is nested deeper than {MAX_FREE_DEPTH}; no policy needs that")
        return value

    def schema(self) -> dict[str, Any]:
        return {}


class PlainValue:
    """A string, a number or a boolean."""

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        if isinstance(value, str | int | float):
            return value
        return _wrong(faults, "must be a string, a number or true/false")

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean"]}


class Several:
    """A list; a single value stands for a list of one where `single`."""

    def __init__(self, item: Shape, *, least: int = 0, most: int = 1000, single: bool = False) -> None:
        self._item, self._least, self._most, self._single = item, least, most, single

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        if not isinstance(value, list):
            return (self._item.read(value, faults),) if self._single else _wrong(faults, "must be a list")
        if not self._least <= len(value) <= self._most:
            return _wrong(faults, f"must have {self._least} to {self._most} entries, has {len(value)}")
        places = lines if isinstance(lines, Sequence) else (None,) * len(value)
        return tuple(self._entries(value, places, faults))

    def _entries(self, value: list[Any], places: Sequence[Lines], faults: Faults) -> Iterator[Any]:
        read = self._item.read
        for number, (one, place) in enumerate(zip(value, places, strict=True)):
            before = len(faults)
            yield read(one, faults, place)
            if len(faults) > before:
                within(faults, before, number)

    def schema(self) -> dict[str, Any]:
        item = self._item.schema()
        array = {"type": "array", "items": item, "minItems": self._least, "maxItems": self._most}
        return {"anyOf": [array, item]} if self._single else array


class Either:
    """The first shape whose kind of value the node has: `kinds` are Python types of the raw value."""

    def __init__(self, *shapes: tuple[type | tuple[type, ...], Shape]) -> None:
        self._shapes = shapes

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        for kinds, shape in self._shapes:
            if isinstance(value, kinds):
                return shape.read(value, faults, lines)
        return self._shapes[0][1].read(value, faults)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [shape.schema() for _, shape in self._shapes]}


class Named:
    """A map from free names to one shape: read as (name, value, line) in document order."""

    def __init__(self, name: Text, item: Shape, *, most: int = 1000) -> None:
        self._name, self._item, self._most = name, item, most

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        if not isinstance(value, dict):
            return _wrong(faults, "must be a map from names")
        if len(value) > self._most:
            return _wrong(faults, f"must have at most {self._most} entries")
        places = lines if isinstance(lines, Mapping) else {}
        return tuple(self._entry(key, inner, places.get(key, 0), faults) for key, inner in value.items())

    def _entry(self, key: str, inner: Any, line: Lines, faults: Faults) -> tuple[str, Any, Lines]:
        before = len(faults)
        name = self._name.read(key, faults)
        for fault in faults[before:]:
            fault.on_key = True
        found = (name, self._item.read(inner, faults), line)
        if len(faults) > before:
            within(faults, before, key)
        return found

    def schema(self) -> dict[str, Any]:
        names = self._name.schema()
        return {
            "type": "object",
            "propertyNames": names,
            "additionalProperties": self._item.schema(),
            "maxProperties": self._most,
        }


class Record:
    """A map of known fields. Unknown ones are problems; `build` gets what was there."""

    def __init__(
        self,
        build: Callable[..., Any],
        fields: Mapping[str, Shape],
        *,
        required: Sequence[str] = (),
        exactly_one: Sequence[str] = (),
        line: bool = False,
        rules: Sequence[dict[str, Any]] = (),
    ) -> None:
        """`build` raises ValueError for combinations that make no sense; `rules` say the same in JSON Schema."""
        self._build, self._fields, self._line = build, fields, line
        self._required, self._exactly_one, self._rules = required, exactly_one, rules

    def read(self, value: Any, faults: Faults, lines: Lines = None) -> Any:
        if not isinstance(value, dict):
            return _wrong(faults, f"must be a map with {', '.join(self._fields)}")
        before = len(faults)
        places = lines if isinstance(lines, Mapping) else {}
        found = {name: self._field(name, inner, faults, places) for name, inner in value.items()}
        for name in self._required:
            if name not in found:
                faults.append(Fault("missing_field", f"`{name}` is missing"))
        if self._exactly_one and sum(name in found for name in self._exactly_one) != 1:
            faults.append(Fault("invalid", f"needs exactly one of {', '.join(self._exactly_one)}"))
        if len(faults) > before:
            return INVALID
        try:
            return self._build(**found, line=lines or 0) if self._line else self._build(**found)
        except ValueError as error:
            return _wrong(faults, str(error))

    def _field(self, name: str, inner: Any, faults: Faults, places: Mapping[str, Lines]) -> Any:
        before = len(faults)
        shape = self._fields.get(name)
        if shape is None:
            text = f"`{name[:80]}` is no field here; known are {', '.join(self._fields)}"
            faults.append(Fault("unknown_field", text, on_key=True))
            found = INVALID
        else:
            found = shape.read(inner, faults, places.get(name))
        if len(faults) > before:
            within(faults, before, name)
        return found

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: shape.schema() for name, shape in self._fields.items()},
            "additionalProperties": False,
        }
        if self._required:
            schema["required"] = list(self._required)
        if self._exactly_one:
            schema["oneOf"] = [{"required": [name]} for name in self._exactly_one]
        if self._rules:
            schema["allOf"] = list(self._rules)
        return schema


def _wrong(faults: Faults, message: str) -> Any:
    faults.append(Fault("invalid", message))
    return INVALID


def _deeper(value: Any, left: int) -> bool:
    """Whether more than `left` containers stand inside one another."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return left == 0 or any(_deeper(one, left - 1) for one in inner)
