"""Globs over names: `*` stands for any run of characters, everything else for itself. Linear in the text."""

from enum import IntEnum

from msgspec import Struct

MAX_GLOB = 256
"""Characters of one pattern."""


class GlobKind(IntEnum):
    ANY = 0
    LITERAL = 1
    PREFIX = 2
    SUFFIX = 3
    CONTAINS = 4
    GENERAL = 5


class Glob(Struct, frozen=True):
    """A compiled pattern. `text` is its only literal part, except for GENERAL."""

    pattern: str
    kind: GlobKind
    text: str
    parts: tuple[str, ...]

    def matches(self, name: str) -> bool:
        """Leftmost search of each part between the fixed ends: linear, no backtracking."""
        if len(self.parts) == 1:
            return name == self.pattern
        first, *middle, last = self.parts
        if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
            return False
        position, end = len(first), len(name) - len(last)
        for part in middle:
            found = name.find(part, position, end)
            if found < 0:
                return False
            position = found + len(part)
        return True

    @property
    def specificity(self) -> tuple[int, int, str]:
        """Sorts the most specific pattern last: literal names, then by the count of literal characters."""
        return (self.kind is GlobKind.LITERAL, sum(map(len, self.parts)), self.pattern)


def parse_glob(pattern: str) -> Glob:
    raw = pattern.split("*")
    parts = (raw[0], *(part for part in raw[1:-1] if part), raw[-1]) if len(raw) > 1 else (pattern,)
    match parts:
        case (text,):
            return Glob(pattern, GlobKind.LITERAL, text, parts)
        case ("", ""):
            return Glob(pattern, GlobKind.ANY, "", parts)
        case (text, ""):
            return Glob(pattern, GlobKind.PREFIX, text, parts)
        case ("", text):
            return Glob(pattern, GlobKind.SUFFIX, text, parts)
        case ("", text, ""):
            return Glob(pattern, GlobKind.CONTAINS, text, parts)
    return Glob(pattern, GlobKind.GENERAL, "", parts)


def overlap(left: str, right: str) -> bool:
    """Can one name match both? Exact: a walk over the product of both patterns."""
    reach = {(0, 0)}
    seen: set[tuple[int, int]] = set()
    while reach:
        at = reach.pop()
        if at == (len(left), len(right)):
            return True
        if at in seen:
            continue
        seen.add(at)
        reach |= _next(left, right, *at)
    return False


def _next(left: str, right: str, i: int, j: int) -> set[tuple[int, int]]:
    a = left[i] if i < len(left) else ""
    b = right[j] if j < len(right) else ""
    if a == "*" or b == "*":
        steps = {(i + 1, j)} if a == "*" else set()
        if b == "*":
            steps.add((i, j + 1))
        if a == "*" and b and b != "*":
            steps.add((i, j + 1))
        if b == "*" and a and a != "*":
            steps.add((i + 1, j))
        return steps
    return {(i + 1, j + 1)} if a and a == b else set()


def covers(general: str, special: str) -> bool:
    """Does every name that `special` matches match `general`? Sound; may miss cases with `*` in the middle of both."""
    if general in ("*", special):
        return True
    outer, inner = parse_glob(general), parse_glob(special)
    if inner.kind is GlobKind.LITERAL:
        return outer.matches(special)
    if outer.kind is GlobKind.PREFIX:
        return inner.parts[0].startswith(outer.text)
    if outer.kind is GlobKind.SUFFIX:
        return inner.parts[-1].endswith(outer.text)
    return outer.kind is GlobKind.CONTAINS and any(outer.text in part for part in inner.parts)
