"""Comparisons of a field with a constant, decided without the CEL library and indexable.

A condition `args.amount > 100 && session.level >= 2` is nothing but guards: no CEL context is built for it.
Answers are CEL's: True, False, or None where CEL would raise (no such field, no such overload).
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import Any

from msgspec import Struct

from mutx.governance.policy.tokens import Literal, Token, path_at

ABSENT = object()
NUMBERS = frozenset({int, float})
ORDER: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class GuardKind(StrEnum):
    ORDER = "order"
    """Compared with a number by `<`, `<=`, `>`, `>=`."""
    EQUAL = "equal"
    """One of some constants."""
    UNEQUAL = "unequal"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    TRUTH = "truth"
    """A boolean by itself, or negated."""
    HAS = "has"


class Guard(Struct, frozen=True):
    """One comparison: the field at `path` (its first part names the variable) against `constants`."""

    kind: GuardKind
    path: tuple[str, ...]
    constants: tuple[Literal, ...]
    sign: str = ""

    def compiled(self) -> "Test":
        """The test as a function of the variable's value. None: cannot be evaluated."""
        path, first = self.path[1:], self.constants[0] if self.constants else None
        if self.kind is GuardKind.HAS:
            return lambda root: _has(select(root, path[:-1]), path[-1])
        if len(path) == 1 and self.kind is GuardKind.ORDER:
            return _order(path[0], ORDER[self.sign], first)
        if len(path) == 1 and self.kind is GuardKind.EQUAL and len(self.constants) == 1 and type(first) is str:
            return _same_text(path[0], first)
        answer = _answer(self)
        return lambda root: answer(select(root, path))


Test = Callable[[dict[str, Any]], bool | None]


def _order(name: str, compare: Callable[[Any, Any], bool], constant: Any) -> Test:
    """The most frequent comparisons in one step each; they decide the speed of a decision."""

    def test(root: dict[str, Any]) -> bool | None:
        value = root.get(name)
        kind = type(value)
        # a number equals itself, NaN does not
        return compare(value, constant) if kind is int or (kind is float and value == value) else None  # noqa: PLR0124

    return test


def _same_text(name: str, constant: str) -> Test:
    def test(root: dict[str, Any]) -> bool | None:
        value = root.get(name, ABSENT)
        return value == constant if type(value) is str else (None if value is ABSENT else False)

    return test


def _has(parent: Any, name: str) -> bool | None:
    return name in parent if type(parent) is dict else None


def _answer(guard: Guard) -> Callable[[Any], bool | None]:
    """The comparison itself, on a value or ABSENT."""
    constants, first = guard.constants, guard.constants[0] if guard.constants else None
    affix = str(first)
    match guard.kind:
        case GuardKind.ORDER:
            compare = ORDER[guard.sign]
            # a number equals itself, NaN does not
            return lambda v: compare(v, first) if type(v) in NUMBERS and v == v else None  # noqa: PLR0124
        case GuardKind.EQUAL:
            return lambda v: None if v is ABSENT else any(equal(v, one) for one in constants)
        case GuardKind.UNEQUAL:
            return lambda v: None if v is ABSENT else not equal(v, constants[0])
        case GuardKind.TRUTH:
            return lambda v: v is first if type(v) is bool else None
        case GuardKind.PREFIX:
            return lambda v: v.startswith(affix) if type(v) is str else None
    return lambda v: v.endswith(affix) if type(v) is str else None


def equal(value: Any, constant: Literal) -> bool:
    """CEL equality: numbers by value, nothing equals a value of another kind."""
    if type(constant) in NUMBERS:
        return type(value) in NUMBERS and value == constant
    return type(value) is type(constant) and bool(value == constant)


def select(value: Any, segments: Sequence[str]) -> Any:
    for segment in segments:
        if type(value) is not dict or segment not in value:
            return ABSENT
        value = value[segment]
    return value


def read_guard(tokens: Sequence[Token]) -> Guard | None:
    """The guard that these words are, or None: then CEL decides."""
    texts = [token.text for token in tokens]
    if texts[:2] == ["has", "("] and texts[-1] == ")":
        path = _whole_path(tokens[2:-1])
        return Guard(GuardKind.HAS, path, ()) if len(path) > 1 else None
    if texts and texts[0] == "!":
        path = _whole_path(tokens[1:])
        return Guard(GuardKind.TRUTH, path, (False,)) if path else None
    if path := _whole_path(tokens):
        return Guard(GuardKind.TRUTH, path, (True,))
    return _affix(tokens) or _membership(tokens) or _comparison(tokens)


def _whole_path(tokens: Sequence[Token]) -> tuple[str, ...]:
    if not tokens or tokens[0].kind != "name" or tokens[0].literal() is not None:
        return ()
    path, end = path_at(tokens, 0)
    return path if end == len(tokens) and len(path) > 1 else ()


def _affix(tokens: Sequence[Token]) -> Guard | None:
    """`path.startsWith('x')`"""
    texts = [token.text for token in tokens]
    if len(texts) < 6 or texts[-5] != "." or texts[-3] != "(" or texts[-1] != ")":
        return None
    kind = {"startsWith": GuardKind.PREFIX, "endsWith": GuardKind.SUFFIX}.get(tokens[-4].text)
    path, constant = _whole_path(tokens[:-5]), tokens[-2].literal()
    return Guard(kind, path, (constant,)) if kind and path and isinstance(constant, str) else None


def _membership(tokens: Sequence[Token]) -> Guard | None:
    """`path in ['a', 'b']`"""
    at = next((i for i, token in enumerate(tokens) if token.kind == "name" and token.text == "in"), 0)
    inside = tokens[at + 2 : -1]
    if not at or tokens[-1].text != "]" or tokens[at + 1].text != "[" or not inside:
        return None
    constants = tuple(token.literal() for token in inside[::2])
    path = _whole_path(tokens[:at])
    if not path or any(token.text != "," for token in inside[1::2]) or len(inside) % 2 == 0:
        return None
    plain = tuple(constant for constant in constants if constant is not None)
    return Guard(GuardKind.EQUAL, path, plain) if len(plain) == len(constants) else None


def _comparison(tokens: Sequence[Token]) -> Guard | None:
    """`path < 5`, `5 < path`, `path == 'x'`"""
    signs = [i for i, token in enumerate(tokens) if token.kind == "sign" and token.text in _FLIPPED]
    if len(signs) != 1:
        return None
    left, sign, right = tokens[: signs[0]], tokens[signs[0]].text, tokens[signs[0] + 1 :]
    path, constant = _whole_path(left), _constant(right)
    if not path:
        path, constant, sign = _whole_path(right), _constant(left), _FLIPPED[sign]
    if not path or constant is None:
        return None
    if sign in ORDER:
        return Guard(GuardKind.ORDER, path, (constant,), sign) if type(constant) in NUMBERS else None
    return Guard(GuardKind.EQUAL if sign == "==" else GuardKind.UNEQUAL, path, (constant,))


def _constant(tokens: Sequence[Token]) -> Literal | None:
    if len(tokens) == 2 and tokens[0].text == "-" and tokens[1].kind == "number":
        number = tokens[1].literal()
        return -number if isinstance(number, int | float) else None
    return tokens[0].literal() if len(tokens) == 1 else None
