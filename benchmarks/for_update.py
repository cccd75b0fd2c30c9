"""What group commit is compared with on PostgreSQL: each turn locks its session's row, looks, writes, commits."""

import asyncio
from typing import Any

import asyncpg

from mutx.governance.context import ContextAccumulator
from mutx.governance.turn import Turn
from mutx.kit.clock import Clock
from mutx.kit.errors import HeadMoved, MutxError
from mutx.storage import ledger_writes as writes
from mutx.storage.codec import encode_turn
from mutx.storage.ledger_writes import Entry, event_rows, row_of
from mutx.storage.pg_ledger import PostgresLedger
from mutx.storage.pg_ledger_store import Connect, numbered
from mutx.storage.tally import ends_closed, tally
from mutx.storage.writer import Done

LOCK = "SELECT head FROM ledger_sessions WHERE workspace_id = $1 AND session_id = $2 FOR UPDATE"


class ForUpdateLedger(PostgresLedger):
    """Plain turns only, which is what the benchmark writes."""

    def __init__(self, connect: Connect, accumulator: ContextAccumulator, clock: Clock, *, connections: int) -> None:
        super().__init__(connect, accumulator, clock)
        self._open = connect
        self._size = connections
        self._pool: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await super().start()

        async def opened(*_: Any, **__: Any) -> Any:
            return await self._open()

        async def nothing(_: Any) -> None: ...

        self._pool = await asyncpg.create_pool(min_size=self._size, max_size=self._size, connect=opened, reset=nothing)

    async def stop(self) -> None:
        await self._pool.close()
        await super().stop()

    def _submit(self, turn: Turn, snapshot: bytes | None, done: Done) -> None:
        entry = Entry(turn, encode_turn(turn), snapshot, event_rows(turn.events))
        task = asyncio.get_running_loop().create_task(self._write_one(entry, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_one(self, entry: Entry, done: Done) -> None:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await _written(connection, entry)
        except MutxError as error:
            done(None, error)
        else:
            done(None, None)


async def _written(connection: Any, entry: Entry) -> None:
    turn = entry.turn
    at = (turn.workspace_id, turn.session_id)
    head = await connection.fetchval(LOCK, *at)
    if head is None and turn.seq == 1:
        names = (turn.action.agent_id, turn.action.user_id)
        values = (*at, *names, turn.receipt.hash, 1, *tally(turn), turn.at, turn.at)
        await connection.execute(numbered(writes.NEW_SESSION), *values)
    elif head == turn.prev:
        values = (turn.receipt.hash, turn.seq, turn.at, *tally(turn), *at, turn.prev, ends_closed(turn))
        await connection.execute(numbered(writes.MOVE_HEAD), *values)
    else:
        raise HeadMoved("another turn came first")
    if entry.snapshot is not None:
        await connection.execute(numbered(writes.SNAPSHOT), *at, turn.seq, entry.snapshot)
    await connection.execute(numbered(writes.NEW_TURN), *row_of(entry))
    if entry.events:
        await connection.executemany(numbered(writes.TELL), entry.events)
