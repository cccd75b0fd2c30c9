"""The ledger's shared statements on PostgreSQL: the same functions that run on SQLite, over pooled connections.

A statement's function is synchronous; it runs in a greenlet that waits for the server without holding the event loop,
which is how SQLAlchemy drives asyncpg as well.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache, partial
from itertools import count
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
from sqlalchemy.util import await_only, greenlet_spawn

from mutx.kit.errors import InputError, LedgerUnavailable, MutxError, StorageFull, Unavailable
from mutx.storage.statements import Statements, UnitOfWrites

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[Any]]
"""Opens an asyncpg connection whose commits are on disk when they return."""

POOL = 8
ACQUIRE_SECONDS = 5.0
STATEMENT_SECONDS = 15.0
PATIENCE_SECONDS = 10.0
"""How long a query or an append waits for a server that is restarting."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5

BROKEN = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError)
"""What asyncpg raises."""
GONE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that ends at the very moment it is used
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    Unavailable,
)
"""The server restarts or was not to be reached: the same again may succeed."""


class FoundRows:
    """The rows of one statement."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], rowcount: int) -> None:
        self._rows = list(rows)
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Any]:
        return self._rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)


class PgStatements:
    """`Statements` on one connection; call it inside a greenlet."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> FoundRows:
        found: FoundRows = await_only(run(self._connection, sql, parameters))
        return found


class PgBatch:
    """`UnitOfWrites` in a transaction; call it inside a greenlet."""

    __slots__ = ("connection", "rows")

    def __init__(self, connection: Any) -> None:
        self.connection: Statements = PgStatements(connection)
        self.rows: dict[str, list[Sequence[Any]]] = {}

    def later(self, statement: str, row: Sequence[Any]) -> None:
        self.rows.setdefault(statement, []).append(row)


class PgStore:
    """A few connections, and the ways to use them. Errors come out as the ledger's own."""

    def __init__(self, connect: Connect, *, size: int = POOL, patience: float = PATIENCE_SECONDS) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience
        self._pool: Any = None

    async def start(self) -> None:
        self._pool = await asyncpg.create_pool(min_size=0, max_size=self._size, connect=self._opened, reset=_nothing)

    async def stop(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def read(self, query: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query, again if the server went away meanwhile. Raises LedgerUnavailable."""

        async def once() -> T:
            async with self.connection() as connection:
                found: T = await greenlet_spawn(partial(query, PgStatements(connection), *args, **kwargs))
                return found

        return await persistently(once, self._patience)

    async def execute(self, run: Callable[[UnitOfWrites], T]) -> T:
        """Run writes in one transaction. Raises what they raise; LedgerUnavailable may mean that they were written."""
        with ledger_errors():
            async with self.connection() as connection, connection.transaction():
                batch = PgBatch(connection)
                result: T = await greenlet_spawn(run, batch)
                for statement, rows in batch.rows.items():
                    await connection.executemany(numbered(statement), rows)
                return result

    async def write(self, statement: str, values: Sequence[Any]) -> int:
        """One statement and its commit in one round trip; how many rows it changed."""
        with ledger_errors():
            async with self.connection() as connection:
                return (await run(connection, statement, values)).rowcount

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        if self._pool is None:
            raise LedgerUnavailable("the database is being closed; try again after the restart")
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            yield connection

    async def _opened(self, *_: Any, **__: Any) -> Any:
        return await self._connect()


async def run(connection: Any, sql: str, parameters: Sequence[Any]) -> FoundRows:
    """One statement, as it is written for both databases."""
    text = numbered(sql)
    if text.lstrip().startswith("SELECT"):
        rows = await connection.fetch(text, *parameters, timeout=STATEMENT_SECONDS)
        return FoundRows(rows, len(rows))
    status = await connection.execute(text, *parameters, timeout=STATEMENT_SECONDS)
    return FoundRows((), int(status.rpartition(" ")[2]))


@lru_cache(maxsize=512)
def numbered(sql: str) -> str:
    """`?` and `?1` as PostgreSQL has them: `$1`."""
    places = count(1)
    return re.sub(r"\?(\d*)", lambda found: f"${found[1] or next(places)}", sql)


async def persistently(once: Callable[[], Awaitable[T]], patience: float) -> T:
    """Try again while the server is away, up to `patience` seconds. For what may be done twice."""
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + patience, FIRST_PAUSE
    while True:
        try:
            with ledger_errors(but=GONE):
                return await once()
        except LedgerUnavailable:
            raise
        except GONE as error:
            if loop.time() + pause > deadline:
                raise refusal(error) from error
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


@contextmanager
def ledger_errors(but: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Turn what asyncpg raises into the ledger's errors, all `but` these."""
    try:
        yield
    except but:
        raise
    except BROKEN as error:
        raise refusal(error) from error


def refusal(error: BaseException) -> MutxError:
    """What a failure means to the caller. The text names no server and no statement; the log has it."""
    if isinstance(error, MutxError):
        return error
    logger.warning("PostgreSQL: %s: %s", type(error).__name__, error)
    if isinstance(error, asyncpg.DiskFullError):
        return StorageFull("the database's disk is full; free space, then try again")
    if isinstance(error, asyncpg.DataError):
        return InputError("a name or value of this call cannot be stored; shorten it, or leave special characters out")
    if isinstance(error, GONE):
        return LedgerUnavailable("PostgreSQL cannot be reached; check that it runs, then try again")
    return LedgerUnavailable("the database failed; see the server log, then try again")


async def _nothing(_connection: Any) -> None:
    """No statement of ours changes a connection's settings, so there is nothing to reset."""
