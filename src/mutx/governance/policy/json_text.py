"""JSON with places: duplicate keys, NaN and depth are refused with their line, as in YAML."""

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder

from mutx.governance.policy.nodes import Node, NodeAllowance, PolicyProblem, Scalar, refuse
from mutx.kit.errors import PolicyInvalid

_SPACE = re.compile(r"[ \t\r\n]*")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,200})(\.[0-9]{1,200})?([eE][-+]?[0-9]{1,2})?(?![0-9.eE])")
_STRINGS = JSONDecoder()
_WORD = re.compile(r"true|false|null")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}


def read_json(text: str) -> Node:
    """The document's root. Raises PolicyInvalid at the first place that is not JSON."""
    reader = JsonReader(text)
    root = reader.value(1)
    reader.end()
    return root


class JsonReader:
    """A recursive reader; depth is bounded by the allowance."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._allowance = NodeAllowance()
        self._line, self._line_start, self._counted = 1, 0, 0

    def value(self, depth: int) -> Node:
        sign = self._peek()
        line, column = self._place()
        self._allowance.spend(line, column, depth)
        if sign == "{":
            return self._object(line, column, depth + 1)
        if sign == "[":
            return Node(list(self._items("]", depth + 1)), line, column)
        return Node(self._string() if sign == '"' else self._plain(), line, column)

    def end(self) -> None:
        if self._peek():
            raise self._error("syntax", "nothing may follow the document")

    def _items(self, closing: str, depth: int) -> Iterator[Node]:
        for _ in self._entries(closing):
            yield self.value(depth)

    def _object(self, line: int, column: int, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        for _ in self._entries("}"):
            if self._peek() != '"':
                raise self._error("syntax", "a key stands in double quotes")
            place = self._place()
            name = self._string()
            if name in values:
                problem = PolicyProblem(
                    line=place[0], column=place[1], code="duplicate_key", message=f"`{name}` stands here twice"
                )
                raise refuse([problem])
            if self._peek() != ":":
                raise self._error("syntax", "`:` is missing after the key")
            self._at += 1
            keys[name] = place
            values[name] = self.value(depth)
        return Node(values, line, column, keys)

    def _entries(self, closing: str) -> Iterator[None]:
        """Once for every entry up to the closing bracket, with the cursor on it."""
        self._at += 1
        if self._peek() == closing:
            self._at += 1
            return
        while True:
            yield
            sign = self._peek()
            if sign not in {",", closing}:
                raise self._error("syntax", f"`,` or `{closing}` is missing")
            self._at += 1
            if sign == closing:
                return

    def _peek(self) -> str:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _string(self) -> str:
        try:
            text, self._at = _STRINGS.raw_decode(self._text, self._at)
        except JSONDecodeError as error:
            raise self._error("syntax", f"not a valid string: {error.msg}") from error
        return str(text)

    def _plain(self) -> Scalar:
        if word := _WORD.match(self._text, self._at):
            self._at = word.end()
            return _WORDS[word[0]]
        number = NUMBER.match(self._text, self._at)
        if number is None:
            raise self._error("syntax", "a value is missing or is not JSON")
        self._at = number.end()
        return float(number[0]) if number[1] or number[2] else int(number[0])

    def _place(self) -> tuple[int, int]:
        """Line and column of the cursor, counted on from the last time."""
        breaks = self._text.count("\n", self._counted, self._at)
        if breaks:
            self._line += breaks
            self._line_start = self._text.rfind("\n", 0, self._at) + 1
        self._counted = self._at
        return self._line, self._at - self._line_start + 1

    def _error(self, code: str, message: str) -> PolicyInvalid:
        line, column = self._place()
        return refuse([PolicyProblem(line=line, column=column, code=code, message=message)])
