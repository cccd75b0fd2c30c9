"""Which rules a value of one argument rules out: comparisons with constants of all rules, looked up at once.

Numbers are bisected into the elementary intervals between all constants, each with the set of rules that may apply there;
equalities are looked up. The answer may hold too many rules (their conditions are tested anyway), never too few.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mutx.governance.policy.guards import ABSENT, Guard, GuardKind, select
from mutx.governance.policy.postings import Posting, breathing, pack, to_bits, united

MAX_TABLES = 16
MIN_RULES = 8
"""A table is worth its memory for an argument that at least so many rules compare."""
TABLE_BYTES = 64 << 20
"""For the intervals of all tables together; beyond it intervals become coarser."""

Comparisons = Mapping[int, Sequence[Guard]]
"""Rank -> the guards of that rule on one argument."""


class ArgumentTable:
    """All constants that one argument is compared with."""

    __slots__ = ("_bounds", "_equal", "_intervals", "_other", "_shift", "path", "touched")

    def __init__(self, path: tuple[str, ...], comparisons: Comparisons, size: int, tables: int) -> None:
        self.path = path
        ordered = {
            rank: numeric
            for rank, guards in comparisons.items()
            if (numeric := [guard for guard in guards if guard.kind is GuardKind.ORDER])
        }
        equal = {rank: guards[0] for rank, guards in comparisons.items() if rank not in ordered}
        self.touched = to_bits(comparisons, size)
        free = to_bits(range(size), size) & ~self.touched
        self._other = free | to_bits(ordered, size)
        self._equal = _equalities(equal, size)
        self._bounds = sorted({float_or_int(guard) for guards in ordered.values() for guard in guards})
        self._shift = _shift(2 * len(self._bounds) + 1, TABLE_BYTES * 8 // (tables * max(size, 1)))
        self._intervals = self._swept(ordered, free)

    def live(self, arguments: dict[str, Any]) -> int | None:
        """The rules that may still apply; None: the argument is absent and rules nothing out."""
        value = select(arguments, self.path)
        kind = type(value)
        if kind is int or kind is float:
            at = bisect_left(self._bounds, value) if value == value else -1  # noqa: PLR0124 - false for NaN
            if at < 0:
                return self._other
            exact = at < len(self._bounds) and self._bounds[at] == value
            bits = self._intervals[(2 * at + exact) >> self._shift]
        elif value is ABSENT:
            return None
        else:
            bits = self._other
            if kind is not str and kind is not bool:
                return bits
        posting = self._equal.get((kind is str, kind is bool, value))
        return bits if posting is None else united(bits, posting)

    def _swept(self, ordered: Mapping[int, Sequence[Guard]], free: int) -> list[int]:
        """The set of each interval, by adding and removing rules along the number line."""
        count = ((2 * len(self._bounds)) >> self._shift) + 1
        changes: dict[int, list[int]] = defaultdict(list)
        for rank, guards in breathing(ordered.items()):
            first, last = self._span(guards)
            if first <= last:
                changes[first >> self._shift].append(rank)
                changes[(last >> self._shift) + 1].append(rank)
        intervals, bits = [], free
        for position in breathing(range(count)):
            for rank in changes[position]:
                bits ^= 1 << rank
            intervals.append(bits)
        return intervals

    def _span(self, guards: Sequence[Guard]) -> tuple[int, int]:
        """First and last elementary interval where all guards hold: 2i lies before bound i, 2i+1 is bound i."""
        first, last = 0, 2 * len(self._bounds)
        for guard in guards:
            at = 2 * bisect_left(self._bounds, float_or_int(guard))
            match guard.sign:
                case ">":
                    first = max(first, at + 2)
                case ">=":
                    first = max(first, at + 1)
                case "<":
                    last = min(last, at)
                case _:
                    last = min(last, at + 1)
        return first, last


def float_or_int(guard: Guard) -> float:
    constant = guard.constants[0]
    assert isinstance(constant, int | float)
    return constant


def _equalities(equal: Mapping[int, Guard], size: int) -> dict[tuple[bool, bool, Any], Posting]:
    """(is text, is boolean, value) -> rules: in Python 1 == True, in CEL it is not."""
    ranks: dict[tuple[bool, bool, Any], list[int]] = defaultdict(list)
    for rank, guard in equal.items():
        for key in {(type(one) is str, type(one) is bool, one) for one in guard.constants}:
            ranks[key].append(rank)
    return {key: pack(members, size) for key, members in ranks.items()}


def _shift(intervals: int, most: int) -> int:
    """How many times to halve the number of intervals so that it is at most `most`."""
    shift = 0
    while intervals >> shift > max(most, 1):
        shift += 1
    return shift


def argument_tables(guards: Iterable[tuple[int, Sequence[Guard]]], size: int) -> tuple[ArgumentTable, ...]:
    """Tables for the arguments that most rules compare; `guards`: rank and all guards of that rule."""
    found: dict[tuple[str, ...], dict[int, list[Guard]]] = defaultdict(lambda: defaultdict(list))
    for rank, all_guards in breathing(guards):
        for guard in all_guards:
            if guard.path[0] == "args" and guard.kind in {GuardKind.ORDER, GuardKind.EQUAL}:
                found[guard.path[1:]][rank].append(guard)
    often = sorted((path for path in found if len(found[path]) >= MIN_RULES), key=lambda p: (-len(found[p]), p))
    chosen = often[:MAX_TABLES]
    return tuple(ArgumentTable(path, found[path], size, len(chosen)) for path in chosen)
