"""CEL expressions, compiled once: `when` conditions and budget amounts.

Bounded before the library sees them: it overflows its stack on very long expressions (50 000 terms), and a comprehension
inside a comprehension lets the arguments of one call cost minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cel

from mutx.governance.policy.guards import ABSENT, Guard, Test, read_guard, select
from mutx.governance.policy.tokens import FieldRead, conjuncts, field_reads, macro_nesting, tokenize

MAX_LENGTH = 2000
"""Characters of one expression."""
MAX_TOKENS = 500
VARIABLES = ("action", "args", "session", "identity", "time")
FAILURES = (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError)
"""What the library raises where an expression has no value for these variables."""


class Condition:
    """A compiled expression and what can be told of it without running it."""

    __slots__ = ("_tests", "exact", "functions", "guards", "program", "quick", "reads", "roots", "source")

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
        self.program = cel.compile(source)
        self.functions: tuple[str, ...] = tuple(self.program.functions())
        self.reads: tuple[FieldRead, ...] = tuple(dict.fromkeys(field_reads(tokens)))
        self.roots = frozenset(read.segments[0] for read in self.reads)
        parts = conjuncts(tokens)
        guards = [read_guard(part) for part in parts]
        self.guards: tuple[Guard, ...] = tuple(guard for guard in guards if guard is not None)
        self.exact = bool(parts) and len(self.guards) == len(parts)
        """The guards are the whole condition."""
        self._tests = [(guard.path[0], guard.compiled()) for guard in self.guards]
        self.quick = self._quick() if self.exact and self.roots == {"args"} else None
        """The whole condition as a function of the arguments, where it depends on nothing else."""

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
