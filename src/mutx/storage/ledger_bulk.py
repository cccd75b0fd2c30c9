"""Plain turns of one batch, written in a few statements for all of them instead of a few for each.

A statement costs more on its way into SQLite than the row it writes. A turn is plain when only its session's head has to be right: no charge, request, grant or event goes with it. What
cannot be written together (a head that moved, an action that is on record) is left to the one-by-one way, which says why.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from mutx.storage.ledger_writes import NEW_TURN, SNAPSHOT, Entry, row_of
from mutx.storage.tally import Tally, charges_of, ends_closed, grant_of, tally

T = TypeVar("T")

CHUNK = 50
"""Rows of one statement; SQLite takes 32 766 values."""

MOVE_HEADS = """UPDATE ledger_sessions AS s SET head = v.column4, seq = v.column5, updated_at = v.column6,
    permits = s.permits + v.column7, denials = s.denials + v.column8, defers = s.defers + v.column9,
    errors = s.errors + v.column10, drifts = s.drifts + v.column11
    FROM (VALUES {}) AS v
    WHERE s.workspace_id = v.column1 AND s.session_id = v.column2 AND s.head = v.column3
    AND (s.closed_at IS NULL OR v.column12)"""

HEAD_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def plain(entry: Entry) -> bool:
    """Whether the turn may be written together with others."""
    turn = entry.turn
    return not (turn.seq == 1 or entry.events or turn.requests or turn.new_grants or charges_of(turn) or grant_of(turn))


def write_plain(db: sqlite3.Connection, entries: Sequence[Entry]) -> bool:
    """Append plain turns, in order. False, or IntegrityError, if any of them cannot be: then undo and go one by one."""
    heads = _heads(entries)
    if heads is None:
        return False
    for chunk in _chunks(heads):
        if db.execute(_move_heads(len(chunk)), [value for row in chunk for value in row]).rowcount != len(chunk):
            return False
    for part in _chunks(entries):
        db.execute(_new_turns(len(part)), [value for entry in part for value in row_of(entry)])
    for entry in entries:
        if entry.snapshot is not None:
            turn = entry.turn
            db.execute(SNAPSHOT, (turn.workspace_id, turn.session_id, turn.seq, entry.snapshot))
    return True


class _Head:
    """Where the turns of one session take it."""

    __slots__ = ("closed_too", "first", "last", "sum")

    def __init__(self, entry: Entry) -> None:
        self.first = self.last = entry.turn
        self.sum = tally(entry.turn)
        self.closed_too = ends_closed(entry.turn)

    def follow(self, entry: Entry) -> bool:
        """Take the session's next turn; False if it does not link to the one before."""
        turn = entry.turn
        if turn.prev != self.last.receipt.hash:
            return False
        self.last = turn
        self.sum = Tally(*(one + more for one, more in zip(self.sum, tally(turn), strict=True)))
        self.closed_too = self.closed_too and ends_closed(turn)
        return True

    def row(self) -> tuple[object, ...]:
        first, last = self.first, self.last
        at = (last.workspace_id, last.session_id, first.prev)
        return (*at, last.receipt.hash, last.seq, last.at, *self.sum, self.closed_too)


def _heads(entries: Sequence[Entry]) -> list[tuple[object, ...]] | None:
    heads: dict[tuple[str, str], _Head] = {}
    for entry in entries:
        key = (entry.turn.workspace_id, entry.turn.session_id)
        head = heads.get(key)
        if head is None:
            heads[key] = _Head(entry)
        elif not head.follow(entry):
            return None
    return [head.row() for head in heads.values()]


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


@lru_cache(maxsize=CHUNK)
def _move_heads(count: int) -> str:
    return MOVE_HEADS.format(", ".join([HEAD_ROW] * count))


@lru_cache(maxsize=CHUNK)
def _new_turns(count: int) -> str:
    insert, values, row = NEW_TURN.partition("VALUES ")
    return insert + values + ", ".join([row] * count)
