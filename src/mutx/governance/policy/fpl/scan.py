"""The characters of an FPL file: words, texts, numbers, signs, each with its place. Linear in the text."""

import re
from bisect import bisect_right

from mutx.governance.policy.nodes import PolicyProblem

_SPACE = re.compile(r"(?:[\s]+|#[^\n]*)+")
_WORD = re.compile(r"[^\s#{}\[\]()\"',:=]+")
"""Names, tool globs and plain values of statements; not of expressions."""
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_SIGN = re.compile(r"&&|\|\||\*\*|\.\.|\?\?|\?\.|[<>=!]=|[-+*/%<>!?:.,()\[\]{}|^$=]")
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t", "r": "\r"}
MAX_TEXT = 2000


class Refused(Exception):
    """Something at a place that is no FPL, or none that is supported."""

    def __init__(self, problem: PolicyProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Scanner:
    """A position in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._starts = [0, *(match.end() for match in re.finditer(r"\n", text))]

    def place(self, position: int) -> tuple[int, int]:
        """Line and column, from 1."""
        line = bisect_right(self._starts, position)
        return line, position - self._starts[line - 1] + 1

    def refuse(self, message: str, *, at: int | None = None, code: str = "syntax") -> Refused:
        line, column = self.place(self.position if at is None else at)
        return Refused(PolicyProblem(line=line, column=column, code=code, message=message))

    def unsupported(self, message: str, *, at: int | None = None) -> Refused:
        return self.refuse(message, at=at, code="unsupported")

    def skip(self) -> int:
        """Over space and comments. Returns the position of what comes."""
        if match := _SPACE.match(self.text, self.position):
            self.position = match.end()
        return self.position

    @property
    def at_end(self) -> bool:
        return self.skip() >= len(self.text)

    def peek_word(self) -> str:
        """The next word of a statement; empty where there is none."""
        match = _WORD.match(self.text, self.skip())
        return match[0] if match else ""

    def peek_name(self) -> str:
        """The next name of an expression; empty where there is none."""
        match = _NAME.match(self.text, self.skip())
        return match[0] if match else ""

    def peek_sign(self) -> str:
        match = _SIGN.match(self.text, self.skip())
        return match[0] if match else ""

    def take(self, expected: str) -> bool:
        """Over `expected`, if that comes next."""
        if not self.text.startswith(expected, self.skip()):
            return False
        self.position += len(expected)
        return True

    def need(self, expected: str) -> None:
        if not self.take(expected):
            raise self.refuse(f"`{expected}` is expected here, not {self.shown()}")

    def word(self, what: str) -> str:
        """A word of a statement; `what` names it where it is missing."""
        found = self.peek_word()
        if not found:
            raise self.refuse(f"{what} is expected here, not {self.shown()}")
        self.position += len(found)
        return found

    def text_or_word(self, what: str) -> str:
        return self.string() if self.comes_string() else self.word(what)

    def comes_string(self) -> bool:
        return self.text[self.skip() : self.position + 1] in {'"', "'"}

    def string(self) -> str:
        """A text in quotes of either kind, on one line."""
        start = self.skip()
        quote = self.text[start]
        found: list[str] = []
        at = start + 1
        while at < len(self.text) and self.text[at] not in {quote, "\n"}:
            if self.text[at] == "\\":
                escape = self.text[at + 1 : at + 2]
                if escape not in _ESCAPES:
                    raise self.refuse(f"`\\{escape}` is no escape here; write `\\\\` for a backslash", at=at)
                found.append(_ESCAPES[escape])
                at += 2
            else:
                found.append(self.text[at])
                at += 1
        if self.text[at : at + 1] != quote:
            raise self.refuse("this text has no closing quote on its line", at=start)
        if len(found) > MAX_TEXT:
            raise self.refuse(f"a text has at most {MAX_TEXT} characters", at=start)
        self.position = at + 1
        return "".join(found)

    def comes_number(self) -> bool:
        start = self.skip()
        return _NUMBER.match(self.text, start + self.text.startswith("$", start)) is not None

    def number(self) -> int | float:
        """A number; an amount of money may have a `$` before it."""
        start = self.skip()
        match = _NUMBER.match(self.text, start + self.text.startswith("$", start))
        if match is None:
            raise self.refuse(f"a number is expected here, not {self.shown()}")
        self.position = match.end()
        return float(match[0]) if "." in match[0] else int(match[0])

    def shown(self) -> str:
        """What comes next, for a message."""
        found = self.peek_word() or self.text[self.skip() : self.position + 1]
        return f"`{found[:40]}`" if found else "the end of the file"
