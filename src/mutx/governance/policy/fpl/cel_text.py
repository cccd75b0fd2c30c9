"""Pieces of CEL text, put together with no more brackets than are needed: what stays simple is decided fast."""

from decimal import Decimal
from enum import IntEnum

from msgspec import Struct

Value = str | int | float | bool


class Level(IntEnum):
    """How tightly a piece holds together, loosest first."""

    CHOICE = 0
    OR = 1
    AND = 2
    RELATION = 3
    SUM = 4
    PRODUCT = 5
    UNARY = 6
    MEMBER = 7


class Cel(Struct, frozen=True):
    """A piece of CEL."""

    text: str
    level: Level
    value: Value | None = None
    """Of a literal."""
    absent: str | None = None
    """CEL that says whether the piece, a path below the arguments, is not there."""
    computed: bool = False
    """A number made by arithmetic: a double."""
    null: bool = False

    @property
    def is_text(self) -> bool:
        return isinstance(self.value, str)

    def at(self, level: Level) -> str:
        """The text where at least `level` is needed."""
        return self.text if self.level >= level else f"({self.text})"

    def number(self) -> "Cel":
        """As a double: CEL computes with numbers of one kind only."""
        if self.computed:
            return self
        if isinstance(self.value, int | float):
            return literal(float(self.value))
        return Cel(f"double({self.text})", Level.MEMBER, computed=True)


def literal(value: Value) -> Cel:
    if isinstance(value, bool):
        return Cel("true" if value else "false", Level.MEMBER, value)
    if isinstance(value, str):
        return Cel(quoted(value), Level.MEMBER, value)
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)
    return Cel(text, Level.MEMBER if value >= 0 else Level.UNARY, value)


def quoted(text: str) -> str:
    """A CEL string."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character >= " " and character != "\x7f" else f"\\u{ord(character):04x}"
