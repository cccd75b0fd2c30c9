"""CEL expressions, compiled once: `when` conditions and budget amounts.

Bounded before the library sees them: it overflows its stack on very long expressions (50 000 terms), and a comprehension
inside a comprehension lets the arguments of one call cost minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mutx.governance.policy import history
from mutx.governance.policy.cel_library import cel
from mutx.governance.policy.guards import ABSENT, Guard, GuardKind, Test, read_guard, select
from mutx.governance.policy.kinds import FieldKind, KindReader, Misfit
from mutx.governance.policy.tokens import (
    RESERVED,
    FieldRead,
    conjuncts,
    field_reads,
    macro_nesting,
    tokenize,
    uses_macros,
)

MAX_LENGTH = 2000
"""Characters of one expression."""
MAX_TOKENS = 500
VARIABLES = ("action", "args", "session", "identity", "time")
FAILURES = (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError)
"""What the library raises where an expression has no value for these variables."""


class Condition:
    """A compiled expression and what can be told of it without running it."""

    __slots__ = ("_program", "_tests", "exact", "guards", "history", "quick", "reads", "roots", "source")

    def __init__(self, source: str) -> None:
        """Raises ValueError, with what is wrong, for what is no CEL expression or too much of one."""
        if len(source) > MAX_LENGTH:
            raise ValueError(f"an expression has at most {MAX_LENGTH} characters")
        tokens = tokenize(source)
        if len(tokens) > MAX_TOKENS:
            raise ValueError(f"an expression has at most {MAX_TOKENS} words")
        if macro_nesting(tokens) > 1:
            raise ValueError("a comprehension (all, exists, map, filter) may not stand inside another")
        self.source = source
        self.history = history.asks_history(tokens)
        """It asks for the session's past."""
        if self.history and uses_macros(tokens):
            raise ValueError(
                "what the session did before may not be asked in a condition with all, exists, map or filter"
            )
        self.reads: tuple[FieldRead, ...] = tuple(dict.fromkeys(field_reads(tokens)))
        self.roots = frozenset(read.segments[0] for read in self.reads)
        parts = conjuncts(tokens)
        guards = [read_guard(part) for part in parts]
        self.guards: tuple[Guard, ...] = tuple(guard for guard in guards if guard is not None)
        self.exact = bool(parts) and len(self.guards) == len(parts)
        """The guards are the whole condition."""
        self._program: Any = None if self.exact and _is_common(self.guards) else cel.compile(source)
        self._tests = [(guard.path[0], guard.compiled()) for guard in self.guards]
        self.quick = self._quick() if self.exact and self.roots == {"args"} else None
        """The whole condition as a function of the arguments, where it depends on nothing else."""

    @property
    def program(self) -> Any:
        """The library's. Guards that are the whole condition need none, and compiling it is half of reading a rule."""
        if self._program is None:
            self._program = cel.compile(self.source)
        return self._program

    @property
    def wants(self) -> frozenset[str]:
        """Variables, and `history` where it asks for that."""
        return self.roots | {history.ROOT} if self.history else self.roots

    @property
    def functions(self) -> tuple[str, ...]:
        """Those it calls, operators among them; guards call none that are not known."""
        return tuple(self.program.functions()) if self._program is not None else ()

    def not_boolean(self, field_kind: FieldKind) -> Misfit | None:
        """What in it must be true or false, and certainly is not. `field_kind`: what is known of fields."""
        if self.exact and all(guard.kind is not GuardKind.TRUTH for guard in self.guards):
            return None
        return KindReader(field_kind).not_boolean(tokenize(self.source))

    def not_number(self, field_kind: FieldKind) -> Misfit | None:
        """The expression, if it is certainly no number."""
        return KindReader(field_kind).not_number(tokenize(self.source))

    @property
    def fields(self) -> tuple[str, ...]:
        """Dotted paths of all it reads, in order of appearance."""
        return tuple(dict.fromkeys(read.path for read in self.reads))

    def holds(self, roots: Callable[[str], Any], context: Callable[[], Any]) -> bool | None:
        """True, False, or None where it cannot be evaluated. `roots`: variable -> value; `context`: CEL's own form."""
        unknown = False
        for variable, test in self._tests:
            answer = test(roots(variable))
            if answer is False:
                return False
            unknown = unknown or answer is None
        if self.exact:
            return None if unknown else True
        try:
            value = self.program.execute(context())
        except FAILURES:
            return None
        return value if type(value) is bool else None

    def _quick(self) -> Test:
        tests = [test for _, test in self._tests]
        return tests[0] if len(tests) == 1 else lambda arguments: _all(tests, arguments)

    def value(self, context: Callable[[], Any]) -> Any:
        """The expression's value; None where it has none."""
        try:
            return self.program.execute(context())
        except FAILURES:
            return None

    def missing(self, roots: Callable[[str], Any]) -> tuple[str, ...]:
        """The fields that are not there; where all are, all that could have the wrong type."""
        needed = tuple(read for read in self.reads if not read.tested)
        absent = tuple(read.path for read in needed if select(roots(read.segments[0]), read.segments[1:]) is ABSENT)
        return absent or self.fields


def _is_common(guards: Sequence[Guard]) -> bool:
    """No word in them that CEL keeps for itself: such an expression may be none, and only the library knows."""
    return all(RESERVED.isdisjoint(guard.path) for guard in guards)


def _all(tests: Sequence[Test], arguments: dict[str, Any]) -> bool | None:
    unknown = False
    for test in tests:
        answer = test(arguments)
        if answer is False:
            return False
        unknown = unknown or answer is None
    return None if unknown else True


def unknown_variables(condition: Condition) -> tuple[str, ...]:
    """Names that no decision defines."""
    return tuple(sorted(condition.roots.difference(VARIABLES)))


def unknown_fields(condition: Condition, known: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Paths into variables of fixed fields (`known`) that lead nowhere."""
    reads = (read for read in condition.reads if len(read.segments) > 1)
    return tuple(
        read.path for read in reads if read.segments[0] in known and read.segments[1] not in known[read.segments[0]]
    )
