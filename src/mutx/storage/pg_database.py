"""The relational store on PostgreSQL, shared by any number of processes.

A unit of work takes one advisory lock and holds it until its commit, so units run one after the other over all
processes, as they do on SQLite; what a unit has read still holds when it writes. Ledger appends do not take that lock.
A process that stalls inside a unit loses its connection, and with it the lock, after `STALLED`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine

from mutx.kit.errors import SetupError, Unavailable
from mutx.storage.engine import UNIT_SECONDS, Database, PoolState, T, pool_state
from mutx.storage.pg_connect import OLDEST, Connector, PostgresOptions
from mutx.storage.pg_errors import broken, refusal

UNIT_LOCK, MIGRATION_LOCK = 0x6D757478_00000001, 0x6D757478_00000002
"""Advisory locks, in a range of our own: `mutx` in ASCII, then a number."""

STALLED = "20s"

BEGIN_VIEW = text("SELECT 1")
BEGIN_SHARED = text(f"SELECT set_config('idle_in_transaction_session_timeout', '{STALLED}', true)")
BEGIN_UNIT = text(f"{BEGIN_SHARED.text}, pg_advisory_xact_lock({UNIT_LOCK})")
BEGIN_MIGRATION = text(f"SELECT current_setting('server_version_num')::int, pg_advisory_xact_lock({MIGRATION_LOCK})")


class PostgresDatabase(Database):
    """A pool of connections. A connection that died is replaced before a slice sees it."""

    def __init__(self, url: str, options: PostgresOptions | None = None, *, unit: float = UNIT_SECONDS) -> None:
        """`unit`: seconds that a unit of work may take. Raises SetupError for a URL that means nothing."""
        super().__init__()
        chosen = options or PostgresOptions()
        self.connect = Connector(url, chosen)
        """Opens an asyncpg connection beside the pool, for the ledger's own statements."""
        self._unit = unit
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self.connect,
            pool_size=chosen.pool_size,
            max_overflow=chosen.max_overflow,
            pool_timeout=chosen.pool_seconds,
            pool_use_lifo=True,
        )
        views = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._read_session = async_sessionmaker(views, expire_on_commit=False)
        self._write_session = async_sessionmaker(self._engine, expire_on_commit=False, info=self.info)

    async def start(self, prepare: Callable[[Connection], None]) -> None:
        """Let `prepare` bring the tables up to date while no other process does, and begin.

        Raises SetupError where this server refuses us or is too old, Unavailable while it is not to be reached.
        """
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._engine.dispose)
            try:
                async with self._engine.begin() as connection:
                    await _claim(connection)
                    await connection.run_sync(prepare)
            except DBAPIError as error:
                raise SetupError(f"the tables could not be made ({broken(error)}); see PostgreSQL's log") from error
            undo.pop_all()

    async def stop(self) -> None:
        """Close the pool."""
        await self._engine.dispose()

    async def look(self, view: Callable[[Connection], T]) -> T:
        """What `view` finds. Raises SetupError or Unavailable where the server does not answer us."""
        try:
            async with self._engine.connect() as connection:
                return await connection.run_sync(view)
        except DBAPIError as error:
            raise SetupError(f"the tables cannot be read ({broken(error)}); see PostgreSQL's log") from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One consistent view. Raises Unavailable if the database cannot answer."""
        with _errors():
            async with await self._begin(self._read_session, BEGIN_VIEW) as session:
                yield session

    @asynccontextmanager
    async def write(self, *, alone: bool = True) -> AsyncIterator[AsyncSession]:
        """A unit of work. Raises Unavailable or StorageFull, and then nothing of it was written.

        An IntegrityError passes through: its slice knows what it means.
        """
        with _errors():
            async with await self._turn(BEGIN_UNIT if alone else BEGIN_SHARED) as session:
                clock = asyncio.timeout(self._unit)
                try:
                    async with clock:
                        yield session
                        await session.flush()
                        clock.reschedule(None)  # a commit under way is never interrupted
                        await session.commit()
                except TimeoutError as error:
                    if not clock.expired():
                        raise
                    raise Unavailable("the write took too long and was undone; try again") from error

    def pool(self) -> PoolState:
        return pool_state(self._engine)

    @property
    def engines(self) -> tuple[Engine, ...]:
        return (self._engine.sync_engine,)

    async def _turn(self, statement: TextClause) -> AsyncSession:
        try:
            async with asyncio.timeout(self._unit):
                return await self._begin(self._write_session, statement)
        except TimeoutError as error:
            raise Unavailable("the database is busy; try again in a moment") from error

    async def _begin(self, sessions: async_sessionmaker[AsyncSession], statement: TextClause) -> AsyncSession:
        """A session in a transaction. Its first statement finds out whether a pooled connection still lives."""
        try:
            return await _opened(sessions(), statement)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return await _opened(sessions(), statement)


async def _opened(session: AsyncSession, statement: TextClause) -> AsyncSession:
    async with AsyncExitStack() as undo:
        undo.push_async_callback(session.close)
        try:
            await session.execute(statement)
        except PoolTimeout as error:
            raise Unavailable("all database connections are in use; try again in a moment") from error
        except SetupError as error:
            raise Unavailable(str(error)) from error  # this server took us when we started
        undo.pop_all()
    return session


async def _claim(connection: AsyncConnection) -> None:
    """Wait until no other process migrates. Raises SetupError if the server is too old."""
    number = (await connection.execute(BEGIN_MIGRATION)).scalar_one()
    if number // 10_000 < OLDEST:
        raise SetupError(f"this is PostgreSQL {number // 10_000}; MUTX needs {OLDEST} or newer")


@contextmanager
def _errors() -> Iterator[None]:
    """What goes wrong with the database, as errors of ours."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise refusal(error) from error
