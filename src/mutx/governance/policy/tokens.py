"""The words of a CEL expression, for what the CEL library does not tell: field paths, simple comparisons, nesting."""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<string>[rRbB]{0,2}(?:'''[\s\S]*?'''|\"\"\"[\s\S]*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>&&|\|\||[<>=!]=|[\s\S])""",
    re.VERBOSE,
)
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
WORDS = frozenset({"true", "false", "null", "in"})
RESERVED = WORDS | frozenset(
    "as break const continue else for function if import let loop package namespace return var void while".split()
)
"""Names that CEL keeps for itself."""
TYPES = frozenset({"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"})
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
_SHIFT = {**dict.fromkeys(OPENING, 1), **dict.fromkeys(CLOSING, -1)}

Literal = str | int | float | bool


class Token(Struct, frozen=True):
    kind: str
    text: str

    def literal(self) -> Literal | None:
        """The value of a plain literal; None for any other word and for strings with escapes or prefixes."""
        if self.kind == "string" and self.text[0] in "'\"" and self.text[1:3] != self.text[0] * 2:
            return None if "\\" in self.text else self.text[1:-1]
        if self.kind == "number" and self.text[-1] not in "uU" and self.text[:2].lower() != "0x":
            return int(self.text) if self.text.isdecimal() else float(self.text)
        return {"true": True, "false": False}.get(self.text) if self.kind == "name" else None


class FieldRead(Struct, frozen=True):
    """A field path that an expression reads; `tested`: only inside `has()`."""

    segments: tuple[str, ...]
    tested: bool

    @property
    def path(self) -> str:
        return ".".join(self.segments)


def tokenize(source: str) -> list[Token]:
    return [Token(str(kind), match[0]) for match in _TOKEN.finditer(source) if (kind := match.lastgroup) != "space"]


def conjuncts(tokens: Sequence[Token]) -> list[list[Token]]:
    """The parts joined by `&&` at the top; empty where the top is no conjunction of parts."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        sign = token.text if token.kind == "sign" else ""
        depth += _SHIFT.get(sign, 0)
        if depth == 0 and sign in {"||", "?"}:
            return []
        if depth == 0 and sign == "&&":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def macro_nesting(tokens: Sequence[Token]) -> int:
    """How deep comprehensions (`all`, `map`, ...) stand inside one another."""
    if not uses_macros(tokens):
        return 0
    deepest = 0
    open_macros: list[bool] = []
    for before, token in zip([Token("sign", ""), *tokens], tokens, strict=False):
        if token.kind == "sign" and _SHIFT.get(token.text) == 1:
            open_macros.append(token.text == "(" and before.kind == "name" and before.text in MACROS)
            deepest = max(deepest, sum(open_macros))
        elif token.kind == "sign" and _SHIFT.get(token.text) == -1 and open_macros:
            open_macros.pop()
    return deepest


def uses_macros(tokens: Sequence[Token]) -> bool:
    return any(token.text in MACROS for token in tokens)


def bound_names(tokens: Sequence[Token]) -> frozenset[str]:
    """Variables that comprehensions introduce: `x` in `args.to.all(x, ...)`."""
    if not uses_macros(tokens):
        return frozenset()
    windows = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return frozenset(name.text for macro, paren, name in windows if macro.text in MACROS and paren.text == "(")


def field_reads(tokens: Sequence[Token]) -> Iterator[FieldRead]:
    """Every variable with the fields selected from it, comprehension variables left out."""
    bound = bound_names(tokens)
    position = 0
    while position < len(tokens):
        token = tokens[position]
        starts = token.kind == "name" and (position == 0 or tokens[position - 1].text != ".")
        if not starts or token.text in WORDS:
            position += 1
            continue
        segments, after = path_at(tokens, position)
        if segments and segments[0] not in bound and not (len(segments) == 1 and segments[0] in TYPES):
            tested = position >= 2 and [t.text for t in tokens[position - 2 : position]] == ["has", "("]
            yield FieldRead(segments, tested)
        position = after


def path_at(tokens: Sequence[Token], start: int) -> tuple[tuple[str, ...], int]:
    """The path that begins at `start`, and the position after it. A called name is no part of the path."""
    segments = [tokens[start].text]
    position = start + 1
    while position + 1 < len(tokens):
        sign, following = tokens[position], tokens[position + 1]
        if sign.text == "." and following.kind == "name":
            segments.append(following.text)
            position += 2
        elif sign.text == "[" and isinstance(following.literal(), str) and _text(tokens, position + 2) == "]":
            segments.append(str(following.literal()))
            position += 3
        else:
            break
    if _text(tokens, position) == "(" and tokens[position - 1].kind == "name":
        segments.pop()
    return tuple(segments), position


def _text(tokens: Sequence[Token], position: int) -> str:
    return tokens[position].text if position < len(tokens) else ""
