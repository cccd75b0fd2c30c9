"""What kind of value an expression has for certain, read off its words: a condition must be true or false.

The CEL library tells no types. This looks only at the outermost operation and, where that wants a boolean, at what it is
given; it says nothing where it cannot be sure.
"""

from collections.abc import Callable, Sequence, Set
from enum import StrEnum
from itertools import accumulate

from msgspec import Struct

from mutx.governance.policy.tokens import CLOSING, OPENING, Token, path_at


class Kind(StrEnum):
    BOOLEAN = "true or false"
    NUMBER = "a number"
    TEXT = "a text"
    LIST = "a list"
    MAP = "a map"
    NULL = "null"
    OTHER = "neither true nor false"


class Misfit(Struct, frozen=True):
    """A part of an expression that must be of one kind and is certainly of another."""

    part: str
    kind: Kind


FieldKind = Callable[[tuple[str, ...]], Kind | None]
"""The kind of a field path, None where that depends on the call."""

_RELATIONS = frozenset({"<", "<=", ">", ">=", "==", "!=", "in"})
_RESULTS: dict[str, Kind] = {
    **dict.fromkeys("contains startsWith endsWith matches has all exists exists_one bool".split(), Kind.BOOLEAN),
    **dict.fromkeys("history_contains_within history_sequence".split(), Kind.BOOLEAN),
    **dict.fromkeys("history_tool_count deny_count_within".split(), Kind.NUMBER),
    **dict.fromkeys("size int uint double abs ceil floor round".split(), Kind.NUMBER),
    **dict.fromkeys("getFullYear getMonth getDayOfYear getDayOfMonth getDate getDayOfWeek".split(), Kind.NUMBER),
    **dict.fromkeys("getHours getMinutes getSeconds getMilliseconds".split(), Kind.NUMBER),
    **dict.fromkeys("map filter".split(), Kind.LIST),
    **dict.fromkeys("bytes duration timestamp type".split(), Kind.OTHER),
    "string": Kind.TEXT,
}
"""Function -> what it gives. `max`, `min`, `dyn` and optional values give what they are given."""


class KindReader:
    """Reads the kinds of expressions."""

    def __init__(self, field_kind: FieldKind) -> None:
        self._field_kind = field_kind

    def not_boolean(self, tokens: Sequence[Token]) -> Misfit | None:
        """What in the expression must be true or false, and certainly is not."""
        tokens = _bare(tokens)
        parts = _branches(tokens) or _split(tokens, {"||"})
        if len(parts) == 1:
            parts = _split(tokens, {"&&"})
        if len(parts) > 1:
            return next((found for part in parts if (found := self.not_boolean(part))), None)
        if tokens[0].text == "!" and len(_split(tokens, _RELATIONS)) == 1:
            return self.not_boolean(tokens[1:])
        kind = self.kind(tokens)
        return None if kind is None or kind is Kind.BOOLEAN else Misfit(_text(tokens), kind)

    def not_number(self, tokens: Sequence[Token]) -> Misfit | None:
        """The expression, if it is certainly no number."""
        kind = self.kind(tokens)
        return None if kind in {None, Kind.NUMBER, Kind.OTHER} else Misfit(_text(_bare(tokens)), Kind(str(kind)))

    def kind(self, tokens: Sequence[Token]) -> Kind | None:
        """The kind of the value for certain, or None."""
        tokens = _bare(tokens)
        if branches := _branches(tokens):
            yes, no = self.kind(branches[1]), self.kind(branches[2])
            return yes if yes is no else None
        if any(len(_split(tokens, signs)) > 1 for signs in ({"||"}, {"&&"}, _RELATIONS)):
            return Kind.BOOLEAN
        terms = _split(tokens, {"+", "-"}, binary=True)
        if len(terms) > 1:
            kinds = {self.kind(term) for term in terms} & {Kind.NUMBER, Kind.TEXT, Kind.LIST}
            return next(iter(kinds)) if len(kinds) == 1 else Kind.OTHER
        if len(_split(tokens, {"*", "/", "%"})) > 1:
            return Kind.NUMBER
        if tokens[0].text in {"!", "-"}:
            return Kind.BOOLEAN if tokens[0].text == "!" else Kind.NUMBER
        return self._operand(tokens)

    def _operand(self, tokens: Sequence[Token]) -> Kind | None:
        """A literal, a field path, a call, a list or a map: no operators at the top."""
        first = tokens[0]
        if len(tokens) == 1 and first.kind != "name":
            literals = {"string": Kind.OTHER if first.text[0] in "bB" else Kind.TEXT, "number": Kind.NUMBER}
            return literals.get(first.kind)
        if len(tokens) == 1 and first.text in {"true", "false", "null"}:
            return Kind.NULL if first.text == "null" else Kind.BOOLEAN
        if first.text in OPENING and _closing(tokens, 0) == len(tokens) - 1:
            return {"[": Kind.LIST, "{": Kind.MAP}.get(first.text)
        if first.kind == "name":
            path, end = path_at(tokens, 0)
            if end == len(tokens):
                return self._field_kind(path)
        return self._call(tokens)

    def _call(self, tokens: Sequence[Token]) -> Kind | None:
        """`name(...)` or `operand.name(...)`"""
        if tokens[-1].text != ")":
            return None
        depths = list(accumulate(-_shift(token) for token in reversed(tokens)))
        name = tokens[len(tokens) - depths.index(0) - 2]
        return _RESULTS.get(name.text) if name.kind == "name" else None


def _bare(tokens: Sequence[Token]) -> Sequence[Token]:
    """Without the brackets around all of it."""
    while len(tokens) > 2 and tokens[0].text == "(" and _closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closing(tokens: Sequence[Token], start: int) -> int:
    """Where the bracket at `start` ends; brackets match in what the library has read."""
    return start + list(accumulate(_shift(token) for token in tokens[start:])).index(0)


def _shift(token: Token) -> int:
    return (token.text in OPENING) - (token.text in CLOSING)


def _branches(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Condition, yes and no of `a ? b : c` at the top; nothing where there is none."""
    marks = [position for position, token in _top(tokens) if token.text in {"?", ":"}]
    if not marks:
        return []
    first, second = marks[:2]  # a choice between them would stand in brackets
    return [tokens[:first], tokens[first + 1 : second], tokens[second + 1 :]]


def _split(tokens: Sequence[Token], signs: Set[str], *, binary: bool = False) -> list[Sequence[Token]]:
    """The parts between these signs at the top. `binary`: not where the sign belongs to what follows it."""
    parts: list[Sequence[Token]] = []
    start = 0
    for position, token in _top(tokens):
        if token.text in signs and not (binary and _is_prefix(tokens, position)):
            parts.append(tokens[start:position])
            start = position + 1
    return [*parts, tokens[start:]]


def _is_prefix(tokens: Sequence[Token], position: int) -> bool:
    before = tokens[position - 1] if position else None
    return before is None or (before.kind == "sign" and before.text not in CLOSING)


def _top(tokens: Sequence[Token]) -> list[tuple[int, Token]]:
    """Signs and `in` that stand in no bracket."""
    found, depth = [], 0
    for position, token in enumerate(tokens):
        if token.kind == "sign" and token.text in CLOSING:
            depth -= 1
        if depth == 0 and (token.kind == "sign" or token.text == "in"):
            found.append((position, token))
        if token.kind == "sign" and token.text in OPENING:
            depth += 1
    return found


def _text(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens).replace(" . ", ".")[:80]
