"""JSON as plain values, entry by entry with the library's decoder: the careful reader says what is wrong and where.

The decoder holds the interpreter while it works, so it never sees more than a window of the text at once.
"""

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any

from mutx.governance.policy.faults import Lines
from mutx.governance.policy.json_text import NUMBER
from mutx.governance.policy.nodes import NodeAllowance, Quick

WINDOW = 1 << 17
"""Characters that are decoded in one go at most: a millisecond or two."""
_OPEN = {
    "[": re.compile(r"[ \t\r\n]*\[[ \t\r\n]*(\])?"),
    "{": re.compile(r"[ \t\r\n]*\{[ \t\r\n]*(\})?"),
}
_KEY = re.compile(r'[ \t\r\n]*"([^"\\\x00-\x1f]*)"[ \t\r\n]*:[ \t\r\n]*')
_AFTER = re.compile(r"[ \t\r\n]*([,\]}])[ \t\r\n]*")


def quick_json(text: str) -> Quick | None:
    """None for whatever is unusual or wrong: the careful reader then says."""
    try:
        return QuickJson(text).document()
    except (ValueError, StopIteration, RecursionError):
        return None


class QuickJson:
    """Walks the document and its lists by itself; everything deeper is the decoder's."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._line, self._counted = 1, 0
        self._window, self._base = text[:WINDOW], 0
        self._left = NodeAllowance().left
        decoder: Any = JSONDecoder(
            object_pairs_hook=self._object, parse_int=_int, parse_float=_float, parse_constant=_refuse
        )
        self._scan = decoder.scan_once

    def document(self) -> Quick:
        content: dict[str, Any] = {}
        lines: dict[str, Lines] = {}
        for name in self._names(content):
            content[name], lines[name] = self._part()
        if self._text[self._at :].strip(" \t\r\n"):
            raise ValueError
        return Quick(content, lines)

    def _part(self) -> tuple[Any, Lines]:
        sign = self._text[self._at : self._at + 1]
        if sign == "[":
            places: list[Lines] = []
            return list(self._items(places)), places
        if sign == "{":
            named: dict[str, Lines] = {}
            found: dict[str, Any] = {}
            for name in self._names(found, named):
                found[name] = self._decoded()
            return found, named
        return self._decoded(), None

    def _items(self, places: list[Lines]) -> Iterator[Any]:
        if self._opened("["):
            return
        while True:
            places.append(self._place())
            yield self._decoded()
            if self._closed("]"):
                return

    def _names(self, taken: dict[str, Any], places: dict[str, Lines] | None = None) -> Iterator[str]:
        """The names of an object, with the cursor on their values."""
        if self._opened("{"):
            return
        while True:
            key = _KEY.match(self._text, self._at)
            if key is None or key[1] in taken:
                raise ValueError
            if places is not None:
                places[key[1]] = self._place()
            self._at = key.end()
            yield key[1]
            if self._closed("}"):
                return

    def _opened(self, sign: str) -> bool:
        """Step in. True if nothing is inside."""
        opening = _OPEN[sign].match(self._text, self._at)
        if opening is None:
            raise ValueError
        self._at = opening.end()
        return opening[1] is not None

    def _closed(self, sign: str) -> bool:
        """Step on after an entry. True if it was the last."""
        after = _AFTER.match(self._text, self._at)
        if after is None or after[1] not in {",", sign}:
            raise ValueError
        self._at = after.end()
        return after[1] == sign

    def _decoded(self) -> Any:
        """The value at the cursor, which moves behind it."""
        self._left -= 1
        if self._left < 0:
            raise ValueError
        if self._at - self._base > WINDOW // 2:
            self._move()
        found = self._scanned()
        if found is None and self._at > self._base:
            self._move()
            found = self._scanned()
        if found is None:
            raise ValueError
        value, end = found
        self._at = self._base + end
        return value

    def _scanned(self) -> tuple[Any, int] | None:
        """A value and where it ends in the window; None where it is wrong, or perhaps goes on behind the window."""
        try:
            value, end = self._scan(self._window, self._at - self._base)
        except (StopIteration, JSONDecodeError):
            return None
        return None if end == len(self._window) and self._base + end < len(self._text) else (value, end)

    def _move(self) -> None:
        self._window, self._base = self._text[self._at : self._at + WINDOW], self._at

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        self._left -= len(found)
        if len(found) < len(pairs) or self._left < 0:
            raise ValueError
        return found

    def _place(self) -> int:
        """The cursor's line, counted on from the last time."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _int(text: str) -> int:
    if NUMBER.fullmatch(text) is None:
        raise ValueError
    return int(text)


def _float(text: str) -> float:
    if NUMBER.fullmatch(text) is None:
        raise ValueError
    return float(text)


def _refuse(_: str) -> Any:
    raise ValueError
