"""What SQLite wants, and the column types that are not the same everywhere. PostgreSQL's side is in `pg_*.py`."""

import sqlite3
from typing import Any

from sqlalchemy import JSON, Engine, event
from sqlalchemy.types import TypeEngine

from mutx.kit.errors import LedgerUnavailable, MutxError, StorageFull

Json: TypeEngine[Any] = JSON()
"""A JSON value, kept as it was written: audit entries are hashed, and JSONB would turn 1e16 into an integer."""

BUSY_SECONDS = 5.0
"""How long a statement waits for a lock that somebody else holds on the file."""

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=4000", "cache_size=-16384")
"""On every connection: a commit is on disk when it returns, and references hold. A page that many commits change is
copied into the database once per 4 000 pages of log (16 MB), and 16 MB of pages stay in memory."""


def configure(engine: Engine, *, writes: bool) -> None:
    """Make every connection of `engine` durable, its transactions explicit, and readers unable to write."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        if not writes:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.connection.driver_connection.begin()


def connect(path: str, *, writes: bool, busy: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A plain connection with explicit transactions, for the ledger's own statements."""
    connection = sqlite3.connect(path, timeout=busy, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    # What undoes a statement or a savepoint is kept in memory, not in a file made and unlinked for every transaction.
    connection.execute("PRAGMA temp_store=MEMORY" if writes else "PRAGMA query_only=ON")
    return connection


def refusal(error: BaseException) -> MutxError:
    """What a database error means to the caller. The text names no path and no statement."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    text = str(error)
    if primary == sqlite3.SQLITE_FULL or "is full" in text:
        return StorageFull("the disk or the database's size limit is full; free space, then try again")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or "is locked" in text:
        return LedgerUnavailable("another program holds the database locked; close it, then try again")
    return LedgerUnavailable("the database failed; see the server log, then try again")
