"""The outbox when several processes write it and each runs a pump.

Of one sink one process at a time carries the news: who holds the sink's advisory lock, which PostgreSQL takes back when
that process dies. And numbers become visible out of order, because a number is taken before its transaction ends: the
reader goes no further than the number up to which every transaction is over, so that its cursor never passes an event
that is still to come.
"""

import asyncio
from contextlib import suppress
from typing import Any, NamedTuple

import asyncpg

from mutx.storage.pg_ledger_store import BROKEN, Connect, PgStore, ledger_errors

PAUSES = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.32)
"""Seconds between the looks of one call at whether the transactions under way have ended; the next call looks on."""

LAST_TAKEN = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM outbox_id_seq"
UNDER_WAY = """SELECT pg_snapshot_xmin(s)::text::bigint AS oldest, pg_snapshot_xmax(s)::text::bigint AS next
    FROM pg_current_snapshot() s"""
"""The oldest transaction that has not ended, and the first that has not begun."""
CLAIM = "SELECT pg_try_advisory_lock(hashtextextended('mutx/sink/' || $1, 0))"


class Mark(NamedTuple):
    """Events up to `number` were numbered by transactions before `transaction`."""

    number: int
    transaction: int


class Horizon:
    """How far the outbox may be read."""

    def __init__(self, store: PgStore) -> None:
        self._store = store
        self._safe = 0
        self._mark: Mark | None = None

    async def reach(self) -> int:
        """The number up to which nothing can appear any more; waits a moment for what is under way."""
        wanted = None
        for pause in PAUSES:
            taken = await self._look()
            wanted = taken if wanted is None else wanted
            if self._safe >= wanted:
                break
            await asyncio.sleep(pause)
        return self._safe

    async def _look(self) -> int:
        """In this order: a transaction that took one of these numbers has begun by the second question."""
        with ledger_errors():
            async with self._store.connection() as connection:
                taken = int(await connection.fetchval(LAST_TAKEN))
                oldest, following = await connection.fetchrow(UNDER_WAY)
        if self._mark is not None and oldest >= self._mark.transaction:
            self._safe, self._mark = max(self._safe, self._mark.number), None
        if oldest == following:
            self._safe = max(self._safe, taken)
        elif self._mark is None and taken > self._safe:
            self._mark = Mark(taken, following)
        return taken


class SinkClaims:
    """The sinks that this process feeds, held on a connection of their own."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: Any = None
        self._held: set[str] = set()
        self._alone = asyncio.Lock()

    async def hold(self, sink: str) -> bool:
        """Whether this process is the one that feeds `sink`; claims it if nobody does."""
        async with self._alone:
            if self._connection is None or self._connection.is_closed():
                self._held.clear()
                self._connection = await self._connect()
            if sink not in self._held:
                with ledger_errors():
                    if await self._connection.fetchval(CLAIM, sink):
                        self._held.add(sink)
            return sink in self._held

    async def stop(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            with suppress(*BROKEN, asyncpg.InterfaceError):
                await connection.close(timeout=1.0)
