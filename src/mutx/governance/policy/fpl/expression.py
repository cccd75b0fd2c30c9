"""`when` expressions of FPL as CEL. Recursive descent with a bounded depth; every construct is translated or refused."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from mutx.governance.policy.fpl import calls, names
from mutx.governance.policy.fpl.cel_text import Cel, Level, literal
from mutx.governance.policy.fpl.scan import Scanner

MAX_DEPTH = 16
MAX_CHARACTERS = 1024
RELATIONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
WORDS = frozenset({"in", "not", "matches", "contains", "startsWith", "endsWith"})
"""Relations written as words; `not` begins `not in`."""
UNKNOWN = frozenset({"**", "..", "??", "?.", "|", "^"})
"""Operators of the original that have no counterpart here."""


class Vocabulary(Struct, frozen=True):
    """What an expression's bare names may mean."""

    variables: Mapping[str, Any]
    """`var` declarations: they stand for their values."""


class ExpressionReader:
    """Reads one expression from where the scanner stands, as far as it goes."""

    def __init__(self, scanner: Scanner, vocabulary: Vocabulary) -> None:
        self._scanner = scanner
        self._vocabulary = vocabulary
        self._depth = 0

    def read(self) -> str:
        """CEL. Raises Refused."""
        start = self._scanner.skip()
        found = self._choice()
        sign = self._scanner.peek_sign()
        if sign in UNKNOWN or sign in {"?", "="}:
            raise self._scanner.unsupported(f"the operator `{sign}` is not supported in conditions")
        if self._scanner.position - start > MAX_CHARACTERS:
            raise self._scanner.refuse(f"a condition has at most {MAX_CHARACTERS} characters", at=start)
        return found.text

    def _choice(self) -> Cel:
        """`a ? b : c`"""
        self._deeper()
        condition = self._either()
        if self._scanner.peek_sign() == "?":
            self._scanner.need("?")
            yes = self._choice()
            self._scanner.need(":")
            no = self._choice()
            parts = (condition.at(Level.OR), yes.at(Level.OR), no.at(Level.OR))
            condition = Cel(f"{parts[0]} ? {parts[1]} : {parts[2]}", Level.CHOICE)
        self._depth -= 1
        return condition

    def _either(self) -> Cel:
        left = self._both()
        while self._take(("||", "or")):
            left = Cel(f"{left.at(Level.OR)} || {self._both().at(Level.AND)}", Level.OR)
        return left

    def _both(self) -> Cel:
        left = self._negation()
        while self._take(("&&", "and")):
            left = Cel(f"{left.at(Level.AND)} && {self._negation().at(Level.RELATION)}", Level.AND)
        return left

    def _negation(self) -> Cel:
        start = self._scanner.skip()
        if not self._take(("!", "not"), unless="!="):
            return self._relation()
        self._deeper()
        inner = self._negation() if self._comes_negation() else self._sum()
        self._depth -= 1
        if self._relation_sign():
            # `not a == b` is `(not a) == b` to some readers of the language and `not (a == b)` to others.
            raise self._scanner.refuse("say what is negated: put brackets, as in `not (a == b)`", at=start)
        return Cel(f"!{inner.at(Level.UNARY)}", Level.UNARY)

    def _comes_negation(self) -> bool:
        return self._scanner.peek_name() == "not" or self._scanner.peek_sign() == "!"

    def _relation(self) -> Cel:
        left = self._sum()
        sign = self._relation_sign()
        if not sign:
            return left
        start = self._scanner.skip()
        self._scanner.need(sign)
        if sign == "not":
            if self._scanner.peek_name() != "in":
                raise self._scanner.refuse(f"`in` is expected after `not` here, not {self._scanner.shown()}")
            self._scanner.need("in")
        right = self._sum()
        if again := self._relation_sign():
            raise self._scanner.refuse(f"`{again}` follows another comparison; join them with `and`")
        return calls.related(self._scanner, start, sign, left, right)

    def _relation_sign(self) -> str:
        sign, word = self._scanner.peek_sign(), self._scanner.peek_name()
        return sign if sign in RELATIONS else word if word in WORDS else ""

    def _sum(self) -> Cel:
        left = self._product()
        while (sign := self._scanner.peek_sign()) in {"+", "-"}:
            start = self._scanner.skip()
            self._scanner.need(sign)
            left = self._arithmetic(left, sign, self._product(), Level.SUM, start)
        return left

    def _product(self) -> Cel:
        left = self._unary()
        while (sign := self._scanner.peek_sign()) in {"*", "/", "%"}:
            start = self._scanner.skip()
            if sign != "*":
                raise self._scanner.unsupported(f"`{sign}` is not supported in conditions", at=start)
            self._scanner.need(sign)
            left = self._arithmetic(left, sign, self._unary(), Level.PRODUCT, start)
        return left

    def _arithmetic(self, left: Cel, sign: str, right: Cel, level: Level, start: int) -> Cel:
        if left.is_text or right.is_text:
            raise self._scanner.unsupported("texts cannot be put together in conditions", at=start)
        return Cel(f"{left.number().at(level)} {sign} {right.number().at(Level(level + 1))}", level, computed=True)

    def _unary(self) -> Cel:
        if self._scanner.peek_sign() != "-":
            return self._operand()
        self._scanner.need("-")
        self._deeper()
        inner = self._unary()
        self._depth -= 1
        if inner.value is not None and not isinstance(inner.value, bool | str):
            return literal(-inner.value)
        return Cel(f"-{inner.number().at(Level.UNARY)}", Level.UNARY, computed=True)

    def _operand(self) -> Cel:
        scanner = self._scanner
        if scanner.comes_string():
            return literal(scanner.string())
        if scanner.comes_number():
            return literal(scanner.number())
        if scanner.take("("):
            inner = self._choice()
            scanner.need(")")
            return inner
        if scanner.peek_sign() == "[":
            return self._list()
        name = scanner.peek_name()
        if not name:
            raise scanner.refuse(f"a condition is expected here, not {scanner.shown()}")
        return self._named(name)

    def _list(self) -> Cel:
        items: list[str] = []
        self._scanner.need("[")
        while not self._scanner.take("]"):
            if items:
                self._scanner.need(",")
            items.append(self._choice().text)
        return Cel(f"[{', '.join(items)}]", Level.MEMBER)

    def _named(self, name: str) -> Cel:
        start = self._scanner.skip()
        self._scanner.position += len(name)
        if self._scanner.text.startswith("(", self._scanner.position):
            return calls.called(self._scanner, start, name, self._arguments())
        return names.resolve(self._scanner, start, self._path(name), self._vocabulary.variables)

    def _arguments(self) -> list[Cel]:
        found: list[Cel] = []
        self._scanner.need("(")
        while not self._scanner.take(")"):
            if found:
                self._scanner.need(",")
            found.append(self._choice())
        return found

    def _path(self, first: str) -> list[str | int]:
        """`a.b["c"][0]`, as its parts."""
        scanner = self._scanner
        path: list[str | int] = [first]
        while True:
            if scanner.text.startswith(".", scanner.position) and scanner.peek_sign() == ".":
                scanner.need(".")
                name = scanner.peek_name()
                if not name:
                    raise scanner.refuse(f"a name is expected after `.`, not {scanner.shown()}")
                start = scanner.position
                scanner.position += len(name)
                if scanner.text.startswith("(", scanner.position):
                    raise scanner.unsupported(f"`{name}` is no function of conditions", at=start)
                path.append(name)
            elif scanner.text.startswith("[", scanner.position):
                scanner.need("[")
                path.append(self._index())
                scanner.need("]")
            else:
                return path

    def _index(self) -> str | int:
        if self._scanner.comes_string():
            return self._scanner.string()
        index = self._scanner.number()
        if not isinstance(index, int):
            raise self._scanner.refuse("an index is a whole number or a text")
        return index

    def _take(self, either: tuple[str, str], *, unless: str = "") -> bool:
        """Over an operator that is written as a sign or as a word."""
        sign, word = either
        if self._scanner.peek_name() == word:
            return self._scanner.take(word)
        return self._scanner.peek_sign() == sign and self._scanner.peek_sign() != unless and self._scanner.take(sign)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._scanner.refuse(f"a condition nests at most {MAX_DEPTH} deep")
