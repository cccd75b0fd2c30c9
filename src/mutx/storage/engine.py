"""The relational store, as slices see it: consistent views, and units of work.

    async with database.read() as session: ...      # a consistent view; cannot write
    async with database.write() as session: ...     # a unit of work: committed at its end, or rolled back

`SqliteDatabase` and `PostgresDatabase` implement it; wiring picks one by DATABASE_URL. Both run one unit of work at a
time, over all processes, so what a unit has read still holds when it writes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.pool import QueuePool

T = TypeVar("T")

UNIT_SECONDS = 5.0
"""How long a unit of work may take, and how long it waits for its turn."""


class PoolState(NamedTuple):
    """Connections of this process: kept ready, in use, and in use beyond those kept ready."""

    size: int
    acquired: int
    overflow: int


class Database(ABC):
    """One database and this process's way to it."""

    def __init__(self) -> None:
        self.info: dict[str, Any] = {}
        """What every unit of work carries as its session's `info`: see `storage.outbox.HEAR`."""

    @abstractmethod
    async def start(self, prepare: Callable[[Connection], None]) -> None:
        """Let `prepare` bring the tables up to date, alone among all processes, and begin.

        Raises SetupError where this database will not do, Unavailable where it cannot be reached now.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Write what is queued, then let go."""

    @abstractmethod
    async def look(self, view: Callable[[Connection], T]) -> T:
        """What `view` finds over a connection, also in a database that is not started. Raises as `start` does."""

    @abstractmethod
    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """One consistent view. Raises Unavailable if the database cannot answer."""

    @abstractmethod
    def write(self, *, alone: bool = True) -> AbstractAsyncContextManager[AsyncSession]:
        """A unit of work. Raises Unavailable or StorageFull, and then nothing of it was written.

        An IntegrityError passes through: its slice knows what it means. `alone=False`, for units that are frequent and
        decide nothing by what they read: they may run beside others where the database can do that.
        """

    @property
    def units(self) -> int | None:
        """Units of work that have ended, where no other process has any; turns of the ledger are none."""
        return None

    @abstractmethod
    def pool(self) -> PoolState: ...

    @property
    @abstractmethod
    def engines(self) -> tuple[Engine, ...]:
        """For those who watch what statements cost."""


def pool_state(*engines: AsyncEngine) -> PoolState:
    """What the pools of these engines hold together."""
    pools = [engine.pool for engine in engines]
    queues = [pool for pool in pools if isinstance(pool, QueuePool)]
    return PoolState(
        size=sum(pool.size() for pool in queues),
        acquired=sum(pool.checkedout() for pool in queues),
        overflow=sum(max(0, pool.overflow()) for pool in queues),
    )
