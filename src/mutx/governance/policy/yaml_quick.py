"""Plain YAML as plain values, without places: twice as fast as the careful reader, which says what is wrong and where."""

from typing import Any

import yaml

from mutx.governance.policy.faults import Lines
from mutx.governance.policy.nodes import MAX_DEPTH, NodeAllowance, Quick
from mutx.governance.policy.yaml_text import LOADER, plain_scalar

_PLAIN_STARTS = frozenset("+-.0123456789~nNtTfF")
"""How a word may begin that is no text."""


def quick_yaml(text: str) -> Quick | None:
    """None for whatever is unusual or wrong: the careful reader then says."""
    try:
        return QuickYaml(text).document()
    except (yaml.YAMLError, Unusual):
        return None


class Unusual(Exception):
    """Not for this reader."""


class QuickYaml:
    def __init__(self, text: str) -> None:
        self._next = LOADER(text).get_event
        self._left = NodeAllowance().left

    def document(self) -> Quick:
        if type(self._next()) is not yaml.StreamStartEvent or type(self._next()) is not yaml.DocumentStartEvent:
            raise Unusual
        event = self._next()
        if type(event) is not yaml.MappingStartEvent or event.anchor or event.tag:
            raise Unusual
        content: dict[str, Any] = {}
        lines: dict[str, Lines] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            name = _name(event, content)
            content[name], lines[name] = self._part(self._next())
        if type(self._next()) is not yaml.DocumentEndEvent or type(self._next()) is not yaml.StreamEndEvent:
            raise Unusual
        return Quick(content, lines)

    def _part(self, event: Any) -> tuple[Any, Lines]:
        """A value of the document itself, with the lines of its entries."""
        if type(event) is yaml.SequenceStartEvent and not (event.anchor or event.tag):
            places: list[Lines] = []
            return self._items(3, places), places
        if type(event) is yaml.MappingStartEvent and not (event.anchor or event.tag):
            named: dict[str, Lines] = {}
            return self._mapping(3, named), named
        return self._value(event, 2), None

    def _value(self, event: Any, depth: int) -> Any:
        if event.anchor or depth > MAX_DEPTH:
            raise Unusual
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if event.tag:
                raise Unusual
            text = event.value
            if event.style or (text and text[0] not in _PLAIN_STARTS):
                return text
            return plain_scalar(text)
        if kind is yaml.AliasEvent or event.tag:
            raise Unusual
        return self._mapping(depth + 1) if kind is yaml.MappingStartEvent else self._items(depth + 1)

    def _items(self, depth: int, places: list[Lines] | None = None) -> list[Any]:
        found: list[Any] = []
        following, value = self._next, self._value
        while type(event := following()) is not yaml.SequenceEndEvent:
            if places is not None:
                places.append(event.start_mark.line + 1)
            found.append(value(event, depth))
        self._spend(len(found))
        return found

    def _mapping(self, depth: int, places: dict[str, Lines] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        following, value = self._next, self._value
        while type(event := following()) is not yaml.MappingEndEvent:
            name = _name(event, found)
            if places is not None:
                places[name] = event.start_mark.line + 1
            found[name] = value(following(), depth)
        self._spend(2 * len(found))
        return found

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise Unusual


def _name(event: Any, taken: dict[str, Any]) -> str:
    if type(event) is not yaml.ScalarEvent or event.anchor or event.tag or event.value in taken:
        raise Unusual
    return str(event.value)
