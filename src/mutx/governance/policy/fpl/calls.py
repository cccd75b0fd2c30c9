"""Functions and comparisons of FPL conditions, as CEL."""

import re
from collections.abc import Callable, Mapping, Sequence

from mutx.governance.patterns import compile_pattern
from mutx.governance.policy import history
from mutx.governance.policy.fpl import names
from mutx.governance.policy.fpl.cel_text import Cel, Level, quoted
from mutx.governance.policy.fpl.scan import Scanner

METHODS: Mapping[str, str] = {"contains": "contains", "startsWith": "startsWith", "endsWith": "endsWith"}

PURPOSE = (
    "`purpose` asks what the agent says of itself, which is no ground for a decision; "
    "use roles of the principal, or give the sub-agent a delegation"
)


def called(scanner: Scanner, start: int, name: str, arguments: Sequence[Cel]) -> Cel:
    """A function call. Raises Refused for functions that are not known and for arguments that do not fit."""
    if name in history.SHAPES:
        return _history(scanner, start, name, arguments)
    if name == "purpose":
        raise scanner.unsupported(PURPOSE, at=start)
    known = FUNCTIONS.get(name)
    if known is None:
        raise scanner.unsupported(f"`{name}` is no function of conditions", at=start)
    count, usage, make = known
    made = make(arguments) if len(arguments) == count else None
    if made is None:
        raise scanner.refuse(f"write {usage}", at=start)
    return made


def _history(scanner: Scanner, start: int, name: str, arguments: Sequence[Cel]) -> Cel:
    kinds = [str if kind == "string" else (int, float) for kind in history.SHAPES[name]]
    if len(arguments) != len(kinds) or not all(
        isinstance(one.value, kind) for one, kind in zip(arguments, kinds, strict=True)
    ):
        raise scanner.refuse(f"write {history.USAGE[name]}", at=start)
    return Cel(f"{name}({', '.join(one.text for one in arguments)})", Level.MEMBER)


def _length(arguments: Sequence[Cel]) -> Cel | None:
    return Cel(f"size({arguments[0].text})", Level.MEMBER)


def _member(arguments: Sequence[Cel]) -> Cel | None:
    items, item = arguments
    return Cel(f"{item.at(Level.SUM)} in {items.at(Level.SUM)}", Level.RELATION)


def _array(piece: Cel) -> str | None:
    """The CEL path of an argument that is named by a text: "mail.recipients"."""
    parts = piece.value.split(".") if isinstance(piece.value, str) else [""]
    return names.argument(parts).text if all(parts) else None


def _array_length(arguments: Sequence[Cel]) -> Cel | None:
    array = _array(arguments[0])
    return Cel(f"size({array})", Level.MEMBER) if array else None


def _array_contains(arguments: Sequence[Cel]) -> Cel | None:
    array = _array(arguments[0])
    return Cel(f"{arguments[1].at(Level.SUM)} in {array}", Level.RELATION) if array else None


def _array_matches(arguments: Sequence[Cel]) -> Cel | None:
    array, glob = _array(arguments[0]), arguments[1].value
    if not array or not isinstance(glob, str):
        return None
    pattern = "^" + "[^/]*".join(re.escape(part) for part in glob.split("*")) + "$"
    return Cel(f"{array}.exists(one, one.matches({quoted(pattern)}))", Level.MEMBER)


FUNCTIONS: Mapping[str, tuple[int, str, Callable[[Sequence[Cel]], Cel | None]]] = {
    "len": (1, "len(args.x)", _length),
    "contains": (2, "contains(args.x, value)", _member),
    "args_array_len": (1, 'args_array_len("x")', _array_length),
    "args_array_contains": (2, 'args_array_contains("x", value)', _array_contains),
    "args_array_any_match": (2, 'args_array_any_match("x", "glob")', _array_matches),
}
"""Function -> how many arguments it takes, how it is written, and what it is in CEL."""


def related(scanner: Scanner, start: int, sign: str, left: Cel, right: Cel) -> Cel:
    """`left sign right`. Raises Refused."""
    if sign in {"==", "!="} and (left.null or right.null):
        return _nothing(scanner, start, sign, right if left.null else left)
    if names.ROLE in (left.text, right.text):
        return _role(scanner, start, sign, left, right)
    if sign == "matches":
        return _matches(scanner, start, left, right)
    if sign in METHODS:
        return Cel(f"{left.at(Level.MEMBER)}.{METHODS[sign]}({right.text})", Level.MEMBER)
    if sign == "not":
        return Cel(f"!({left.at(Level.SUM)} in {right.at(Level.SUM)})", Level.UNARY)
    return Cel(f"{left.at(Level.SUM)} {sign} {right.at(Level.SUM)}", Level.RELATION)


def _nothing(scanner: Scanner, start: int, sign: str, piece: Cel) -> Cel:
    """Compared with nil, which an argument that is not there is as well."""
    if piece.absent is None:
        raise scanner.unsupported("only an argument by its name can be compared with nil", at=start)
    nothing = f"{piece.absent} || {piece.text} == null"
    return Cel(nothing, Level.OR) if sign == "==" else Cel(f"!({nothing})", Level.UNARY)


def _role(scanner: Scanner, start: int, sign: str, left: Cel, right: Cel) -> Cel:
    other = right if left.text == names.ROLE else left
    if sign == "==":
        return Cel(f"{other.at(Level.SUM)} in {names.ROLE}", Level.RELATION)
    if sign == "!=":
        return Cel(f"!({other.at(Level.SUM)} in {names.ROLE})", Level.UNARY)
    raise scanner.unsupported("compare principal.role with `==` or `!=`: a principal may have several", at=start)


def _matches(scanner: Scanner, start: int, left: Cel, right: Cel) -> Cel:
    if not isinstance(right.value, str):
        raise scanner.unsupported("`matches` takes a pattern in quotes", at=start)
    try:
        compile_pattern(right.value)
    except ValueError as error:
        raise scanner.refuse(str(error), at=start) from error
    return Cel(f"{left.at(Level.MEMBER)}.matches({right.text})", Level.MEMBER)
