"""YAML, safely: YAML 1.2 scalars, no tags, no anchors, no duplicate keys, bounded depth and size."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from mutx.governance.policy.nodes import Node, NodeAllowance, PolicyProblem, Scalar, refuse
from mutx.kit.errors import PolicyInvalid

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,200}(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")
_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Node:
    """The document's root. Raises PolicyInvalid at the first place that is not plain YAML."""
    events = yaml.parse(text, Loader=LOADER)
    try:
        node = YamlReader(events).document()
    except yaml.YAMLError as error:
        raise refuse([_syntax(error)]) from error
    return node


def _syntax(error: yaml.YAMLError) -> PolicyProblem:
    mark = getattr(error, "problem_mark", None)
    message = getattr(error, "problem", None) or str(error)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return PolicyProblem(line=line, column=column, code="syntax", message=f"not valid YAML: {message}")


def plain_scalar(text: str) -> Scalar:
    """What an unquoted word stands for in YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class YamlReader:
    """Builds nodes from parser events."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._allowance = NodeAllowance()

    def document(self) -> Node:
        event = self._next()
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "empty", "the document is empty")
        root = self._node(event, 1)
        self._next()
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._error(after, "several_documents", "one document per policy; remove what follows `---`")
        return root

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        line, column = _place(event)
        self._allowance.spend(line, column, depth)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._error(event, "alias", "anchors and aliases are not taken; write the value out")
        if getattr(event, "tag", None):
            raise self._error(event, "tag", f"tags are not taken: {getattr(event, 'tag', '')}")
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(list(self._items(depth + 1)), line, column)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(line, column, depth + 1)
        assert isinstance(event, yaml.ScalarEvent)
        return Node(event.value if event.style else plain_scalar(event.value), line, column)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            yield self._node(event, depth)

    def _mapping(self, line: int, column: int, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, depth).value
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "key", "a key is a plain name")
            name = event.value if not isinstance(key, str) else key
            if name in values:
                raise self._error(event, "duplicate_key", f"`{name}` stands here twice")
            keys[name] = _place(event)
            values[name] = self._node(self._next(), depth)
        return Node(values, line, column, keys)

    def _error(self, event: yaml.Event, code: str, message: str) -> PolicyInvalid:
        line, column = _place(event)
        return refuse([PolicyProblem(line=line, column=column, code=code, message=message)])


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None
    return mark.line + 1, mark.column + 1
