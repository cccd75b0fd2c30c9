"""Sets of rules: one bit per rank in a Python integer, or a short tuple of ranks where that is smaller."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from typing import Any, TypeVar

T = TypeVar("T")
Posting = int | tuple[int, ...]
SLICE = 256


def to_bits(ranks: Iterable[int], size: int) -> int:
    """The set as an integer; `size`: number of rules."""
    filled = bytearray((size >> 3) + 1)
    for rank in ranks:
        filled[rank >> 3] |= 1 << (rank & 7)
    return int.from_bytes(filled, "little")


def pack(ranks: Sequence[int], size: int) -> Posting:
    """Keeps memory linear in the number of rules: a set takes bits only where it has many members."""
    return to_bits(ranks, size) if len(ranks) * 64 > size else tuple(ranks)


def united(bits: int, posting: Posting) -> int:
    if isinstance(posting, int):
        return bits | posting
    for rank in posting:
        bits |= 1 << rank
    return bits


def ranks_of(bits: int) -> Iterator[int]:
    """Ascending."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def ordered(items: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """As `sorted` has it, in slices: one sort of thousands holds the interpreter for tens of milliseconds."""
    everything = list(items)
    slices = [sorted(everything[at : at + SLICE], key=key) for at in range(0, len(everything), SLICE)]
    return list(merge(*slices, key=key))


def breathing(items: Iterable[T]) -> Iterator[T]:
    """Gives other threads the interpreter between slices, so that building an index stalls no event loop."""
    for count, item in enumerate(items):
        if count % SLICE == 0:
            time.sleep(0)
        yield item
