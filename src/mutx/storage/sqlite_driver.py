"""SQLite below SQLAlchemy with one hand-over to the connection's thread per statement.

aiosqlite hands over the making of a cursor, the statement, its rows and the closing one by one, and every hand-over costs
two switches of threads and a turn of the loop: for a short query that is most of what it costs.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, Self, TypeVar

import aiosqlite

T = TypeVar("T")

AT_ONCE = 1000
"""Rows that come with the statement. The rest of a longer answer is fetched as it is asked for."""


async def open_connection(path: str, begin: str) -> "OneHopConnection":
    """A connection whose transactions are begun by its own `begin` statement, and not by sqlite3."""
    connect = partial(sqlite3.connect, path, isolation_level=None, check_same_thread=False)
    connection = OneHopConnection(connect, begin)
    connection._thread.daemon = True
    await connection
    return connection


class OneHopConnection(aiosqlite.Connection):
    """An aiosqlite connection whose statements bring their rows along, and whose transactions begin with their first one."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], begin: str) -> None:
        super().__init__(connector, AT_ONCE)
        self._begin = begin
        self._due = False
        self._unsure = False

    def begin(self) -> None:
        """Begin a transaction, ahead of the next statement."""
        self._due = True

    def cursor(self) -> "OneHopCursor":  # type: ignore[override]  # made at once: nothing is asked of the thread
        return OneHopCursor(self)

    async def commit(self) -> None:
        if not self._unbegun():
            await self.hand_over(self._conn.commit)

    async def rollback(self) -> None:
        """Also ends what a cancelled caller left under way."""
        if not self._unbegun() and (self._unsure or self._conn.in_transaction):
            await self.hand_over(self._conn.rollback)
            self._unsure = False

    async def hand_over(self, call: Callable[[], T]) -> T:
        """Run `call` on the connection's thread. Raises what it raises."""
        try:
            result: T = await self._execute(call)  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            self._unsure = True  # it runs all the same
            raise
        return result

    async def run(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """The same, within the transaction: it begins here if it is due."""
        connection, due, self._due = self._conn, self._due, False

        def within() -> T:
            if due:
                connection.execute(self._begin)
            return call(connection)

        return await self.hand_over(within)

    def _unbegun(self) -> bool:
        due, self._due = self._due, False
        return due


class _Execution(NamedTuple):
    """What a statement did. `cursor`: where more rows wait."""

    description: Any
    rowcount: int
    lastrowid: int | None
    rows: deque[Any]
    cursor: sqlite3.Cursor | None


NOTHING = _Execution(None, -1, None, deque(), None)


class OneHopCursor:
    """A cursor as SQLAlchemy's adapter asks for it. It holds no cursor of SQLite's but for an answer of many rows."""

    def __init__(self, connection: OneHopConnection) -> None:
        self._connection = connection
        self._answer = NOTHING
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._answer.description

    @property
    def rowcount(self) -> int:
        return self._answer.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._answer.lastrowid

    async def execute(self, operation: str, parameters: Any = ()) -> Self:
        """Raises sqlite3.Error."""
        return await self._run(lambda connection: connection.execute(operation, parameters))

    async def executemany(self, operation: str, parameters: Iterable[Any]) -> Self:
        """Raises sqlite3.Error."""
        return await self._run(lambda connection: connection.executemany(operation, parameters))

    async def _run(self, ask: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> Self:
        def run(connection: sqlite3.Connection) -> _Execution:
            cursor = ask(connection)
            rows = deque(cursor.fetchmany(AT_ONCE)) if cursor.description else deque()
            more = cursor if len(rows) == AT_ONCE else None
            return _Execution(cursor.description, cursor.rowcount, cursor.lastrowid, rows, more)

        self._answer = await self._connection.run(run)
        return self

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted, rows = self.arraysize if size is None else size, self._answer.rows
        if len(rows) < wanted and self._answer.cursor is not None:
            missing = wanted - len(rows)
            rows.extend(await self._connection.hand_over(partial(self._answer.cursor.fetchmany, missing)))
        return [rows.popleft() for _ in range(min(wanted, len(rows)))]

    async def fetchall(self) -> list[Any]:
        rows = list(self._answer.rows)
        self._answer.rows.clear()
        if self._answer.cursor is not None:
            rows += await self._connection.hand_over(self._answer.cursor.fetchall)
        return rows

    async def close(self) -> None:
        """Let go of rows that nobody fetched. What was answered stays known."""
        left, self._answer = self._answer.cursor, self._answer._replace(rows=deque(), cursor=None)
        if left is not None:
            await self._connection.hand_over(left.close)
