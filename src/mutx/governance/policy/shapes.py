"""Shapes of values: each reads a node, collecting every problem, and says itself in JSON Schema.

One definition, two uses: what the parser takes and what the published schema says cannot drift apart.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from mutx.governance.policy.nodes import Node, PolicyProblem

Problems = list[PolicyProblem]
INVALID: Any = object()
"""What a reader returns after it noted a problem."""


class Shape(Protocol):
    def read(self, node: Node, problems: Problems) -> Any: ...

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

    def read(self, node: Node, problems: Problems) -> Any:
        text = node.value
        if not isinstance(text, str):
            return _wrong(node, problems, f"must be {self._what}; put it in quotes if it looks like something else")
        if not self._least <= len(text) <= self._most:
            return _wrong(node, problems, f"must have {self._least} to {self._most} characters")
        if self._pattern and not re.fullmatch(self._pattern, text):
            return _wrong(node, problems, f"`{text[:80]}` is no {self._what} ({self._pattern})")
        try:
            return text if self._check is None else self._check(text)
        except ValueError as error:
            return _wrong(node, problems, str(error))

    def schema(self) -> dict[str, Any]:
        pattern = {"pattern": f"^(?:{self._pattern})$"} if self._pattern else {}
        return {"type": "string", "minLength": self._least, "maxLength": self._most} | pattern


class Number:
    def __init__(self, *, least: float, most: float = 2**53 - 1, whole: bool = False) -> None:
        self._least, self._most, self._whole = least, most, whole

    def read(self, node: Node, problems: Problems) -> Any:
        number = node.value
        if type(number) not in {int, float} or (self._whole and number != int(number)):  # type: ignore[arg-type]
            return _wrong(node, problems, "must be a whole number" if self._whole else "must be a number")
        assert isinstance(number, int | float)
        if not self._least <= number <= self._most:
            return _wrong(node, problems, f"must be from {self._least:g} to {self._most:g}")
        return int(number) if self._whole else number

    def schema(self) -> dict[str, Any]:
        return {"type": "integer" if self._whole else "number", "minimum": self._least, "maximum": self._most}


class Flag:
    def read(self, node: Node, problems: Problems) -> Any:
        return node.value if type(node.value) is bool else _wrong(node, problems, "must be true or false")

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Choice:
    """One of some words, each standing for a value."""

    def __init__(self, values: Mapping[str, Any] | type[Enum]) -> None:
        self._values = values if isinstance(values, Mapping) else {str(one.value): one for one in values}

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node.value, str) and node.value in self._values:
            return self._values[node.value]
        return _wrong(node, problems, f"must be one of {', '.join(self._values)}")

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self._values)}


class Anything:
    """Any JSON value."""

    def read(self, node: Node, problems: Problems) -> Any:
        return node.plain()

    def schema(self) -> dict[str, Any]:
        return {}


class PlainValue:
    """A string, a number or a boolean."""

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node.value, str | int | float):
            return node.value
        return _wrong(node, problems, "must be a string, a number or true/false")

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean"]}


class Several:
    """A list; a single value stands for a list of one where `single`."""

    def __init__(self, item: Shape, *, least: int = 0, most: int = 1000, single: bool = False) -> None:
        self._item, self._least, self._most, self._single = item, least, most, single

    def read(self, node: Node, problems: Problems) -> Any:
        if self._single and not isinstance(node.value, list):
            return (self._item.read(node, problems),)
        if not isinstance(node.value, list):
            return _wrong(node, problems, "must be a list")
        if not self._least <= len(node.value) <= self._most:
            return _wrong(node, problems, f"must have {self._least} to {self._most} entries, has {len(node.value)}")
        return tuple(self._item.read(one, problems) for one in node.value)

    def schema(self) -> dict[str, Any]:
        item = self._item.schema()
        array = {"type": "array", "items": item, "minItems": self._least, "maxItems": self._most}
        return {"anyOf": [array, item]} if self._single else array


class Either:
    """The first shape whose kind of value the node has: `kinds` are Python types of the raw value."""

    def __init__(self, *shapes: tuple[type | tuple[type, ...], Shape]) -> None:
        self._shapes = shapes

    def read(self, node: Node, problems: Problems) -> Any:
        for kinds, shape in self._shapes:
            if isinstance(node.value, kinds):
                return shape.read(node, problems)
        return self._shapes[0][1].read(node, problems)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [shape.schema() for _, shape in self._shapes]}


class Named:
    """A map from free names to one shape: read as (name, value, line) in document order."""

    def __init__(self, name: Text, item: Shape, *, most: int = 1000) -> None:
        self._name, self._item, self._most = name, item, most

    def read(self, node: Node, problems: Problems) -> Any:
        if not isinstance(node.value, dict):
            return _wrong(node, problems, "must be a map from names")
        if len(node.value) > self._most:
            return _wrong(node, problems, f"must have at most {self._most} entries")
        found = []
        for key, inner in node.value.items():
            line, column = node.keys[key]
            name = self._name.read(Node(key, line, column), problems)
            found.append((name, self._item.read(inner, problems), line))
        return tuple(found)

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

    def read(self, node: Node, problems: Problems) -> Any:
        if not isinstance(node.value, dict):
            return _wrong(node, problems, f"must be a map with {', '.join(self._fields)}")
        before = len(problems)
        found = {name: self._field(name, inner, node, problems) for name, inner in node.value.items()}
        problems += [
            node.problem("missing_field", f"`{name}` is missing") for name in self._required if name not in found
        ]
        if self._exactly_one and sum(name in found for name in self._exactly_one) != 1:
            problems.append(node.problem("invalid", f"needs exactly one of {', '.join(self._exactly_one)}"))
        if len(problems) > before:
            return INVALID
        return self._built(node, found, problems)

    def _field(self, name: str, inner: Node, node: Node, problems: Problems) -> Any:
        shape = self._fields.get(name)
        if shape is not None:
            return shape.read(inner, problems)
        line, column = node.keys[name]
        known = ", ".join(self._fields)
        text = f"`{name[:80]}` is no field here; known are {known}"
        problems.append(PolicyProblem(line=line, column=column, code="unknown_field", message=text))
        return INVALID

    def _built(self, node: Node, found: dict[str, Any], problems: Problems) -> Any:
        try:
            return self._build(**found, line=node.line) if self._line else self._build(**found)
        except ValueError as error:
            return _wrong(node, problems, str(error))

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


def _wrong(node: Node, problems: Problems, message: str) -> Any:
    problems.append(node.problem("invalid", message))
    return INVALID
