"""The relational store on one SQLite file: many readers, one writer.

A unit of work takes its place in the ledger writer's queue and holds the file while it lasts, so it is short and
never waits for the ledger inside. One that lasts too long is rolled back and refused; nothing deadlocks.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from mutx.kit.errors import SetupError, Unavailable
from mutx.storage.dialect import BUSY_SECONDS, configure, connect, refusal
from mutx.storage.engine import UNIT_SECONDS, Database, PoolState, T, pool_state
from mutx.storage.file_lock import FileLock
from mutx.storage.reader import Readers
from mutx.storage.sqlite_driver import open_connection
from mutx.storage.writer import Writer


class SqliteDatabase(Database):
    """One file and this process's right to write it."""

    def __init__(self, url: str | Path, *, unit: float = UNIT_SECONDS, busy: float = BUSY_SECONDS) -> None:
        """`url`: `sqlite:///path`, or the path itself. `unit`, `busy`: seconds."""
        super().__init__()
        self.path = sqlite_path(url)
        self._ended = 0
        self._unit = unit
        self._started = False
        self._lock = FileLock(self.path)
        self._views = _engine(self.path, writes=False, size=4)
        self._units = _engine(self.path, writes=True, size=1)
        self._read_session = async_sessionmaker(self._views, expire_on_commit=False)
        self._write_session = async_sessionmaker(self._units, expire_on_commit=False, info=self.info)
        self.writer = Writer(partial(connect, str(self.path), writes=True, busy=busy))
        self.readers = Readers(partial(connect, str(self.path), writes=False, busy=busy))

    async def start(self, prepare: Callable[[Connection], None]) -> None:
        """Claim the file, let `prepare` bring its tables up to date, and begin.

        Raises SetupError if another process writes this file.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # its -wal and -shm take after it
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._dispose)
            async with self._units.begin() as connection:
                await connection.run_sync(prepare)
            self.writer.start()
            self._started = True
            undo.pop_all()

    async def stop(self) -> None:
        """Write what is queued, then let go of the file."""
        if self._started:
            await self.writer.stop()
        await self._dispose()

    async def look(self, view: Callable[[Connection], T]) -> T:
        """What `view` finds. Raises SetupError where there is no such file, or it is no database."""
        if not self.path.exists():
            raise SetupError(f"there is no database at {self.path} yet; `mutx up` makes one")
        try:
            async with self._views.connect() as connection:
                return await connection.run_sync(view)
        except DBAPIError as error:
            raise SetupError(f"{self.path} cannot be read ({error.orig}); restore it from a backup") from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One consistent view. Raises Unavailable if the database cannot answer."""
        try:
            async with self._read_session() as session:
                yield session
        except DBAPIError as error:
            raise Unavailable("the database cannot be read; see the server log, then try again") from error

    @asynccontextmanager
    async def write(self, *, alone: bool = True) -> AsyncIterator[AsyncSession]:
        """A unit of work, always alone. Raises Unavailable or StorageFull, and then nothing of it was written.

        An IntegrityError passes through: its slice knows what it means.
        """
        clock = asyncio.timeout(self._unit)
        try:
            async with self.writer.turn(self._unit), clock, self._write_session() as session:
                yield session
                await session.flush()
                clock.reschedule(None)  # a commit under way is never interrupted
                await session.commit()
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise Unavailable("the write took too long and was undone; try again") from error
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise refusal(error.orig or error) from error
        finally:
            self._ended += 1

    @property
    def units(self) -> int:
        return self._ended

    def pool(self) -> PoolState:
        return pool_state(self._views, self._units)

    @property
    def engines(self) -> tuple[Engine, ...]:
        return self._views.sync_engine, self._units.sync_engine

    async def _dispose(self) -> None:
        self.readers.close()
        await self._views.dispose()
        await self._units.dispose()
        self._lock.release()


def sqlite_path(url: str | Path) -> Path:
    """The file that a URL or a path names. Raises SetupError where it names none."""
    if isinstance(url, Path) or "://" not in url:
        return Path(url).absolute()
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise SetupError("DATABASE_URL must be sqlite:///path/to/file or postgresql://user@host/database")
    return Path(parsed.database).absolute()


def _engine(path: Path, *, writes: bool, size: int) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        async_creator=partial(open_connection, str(path), "BEGIN IMMEDIATE" if writes else "BEGIN"),
        pool_size=size,
        max_overflow=0 if writes else size,
    )
    configure(engine.sync_engine, writes=writes)
    return engine
