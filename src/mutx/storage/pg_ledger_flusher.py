"""The appender of a process on PostgreSQL: whatever waits goes to the server as one group, in one round trip.

What arrives while a group is on its way forms the next one (natural batching). The server judges each turn by itself; a
group that fails as a whole leaves nothing behind. When the connection breaks nobody knows whether the group was written:
it is sent again, and the server recognises what it has.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from msgspec import Struct

from mutx.kit.errors import DuplicateAction, HeadMoved, LedgerUnavailable, LimitMoved, MutxError, RequestMoved
from mutx.storage.pg_ledger_rows import Parts, Row, arrays
from mutx.storage.pg_ledger_store import (
    FIRST_PAUSE,
    GONE,
    LONGEST_PAUSE,
    PATIENCE_SECONDS,
    STATEMENT_SECONDS,
    Connect,
    refusal,
)
from mutx.storage.writer import Done, tell

logger = logging.getLogger(__name__)

APPEND = "SELECT * FROM ledger_append($1, $2, $3, $4, $5, $6, $7)"

LANES = 2
MAX_GROUP = 128
MAX_BYTES = 8 * 2**20
MAX_WAITING = 8192

COLLIDED = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Another process wrote the same at the same moment: sent again, the group sees what that one wrote."""
COLLISIONS = 5

Learn = Callable[[str, str, int], None]
"""Hears of a counter: workspace, key, the stored value."""

REFUSED: dict[str, tuple[type[MutxError], str]] = {
    "head": (HeadMoved, "another turn of this session came first; decide again"),
    "duplicate": (DuplicateAction, "this step of this action is on record"),
    "request": (RequestMoved, "somebody else changed this request first; read it again"),
    "limit": (LimitMoved, "a limit was reached meanwhile; decide again"),
    "grant": (LimitMoved, "the standing grant was used up meanwhile; decide again"),
}


class Waiting(Struct, frozen=True):
    """A turn on its way to the disk."""

    parts: Parts
    done: Done

    @property
    def session(self) -> tuple[str, str]:
        return self.parts.turn[0], self.parts.turn[1]

    @property
    def step(self) -> tuple[str, ...]:
        """Workspace, kind and action, which are on record once; a resolution, its receipt."""
        row = self.parts.turn
        return row[0], row[5], row[7] if row[5] == "resolution" else row[6]


class Lane:
    """One connection, on which one group at a time is on its way."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: Any = None

    async def send(self, group: Sequence[Waiting], again: bool) -> tuple[list[str | None], list[int] | None]:
        """What the server says to each turn, and to each counter. Raises what asyncpg raises."""
        await self.open()
        found = await self._connection.fetchrow(
            APPEND, again, *arrays([waiting.parts for waiting in group]), timeout=STATEMENT_SECONDS
        )
        return found["refusals"], found["counted"]

    async def open(self) -> None:
        if self._connection is None:
            self._connection = await self._connect()

    def drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, asyncpg.InterfaceError):
                connection.terminate()


class Flusher:
    """Two lanes to the server: while one group waits for the disk, the next one is judged.

    Turns of one session never travel on both at once, so they arrive in their order.
    """

    def __init__(
        self,
        connect: Connect,
        learn: Learn,
        *,
        patience: float = PATIENCE_SECONDS,
        max_waiting: int = MAX_WAITING,
        max_group: int = MAX_GROUP,
    ) -> None:
        """`patience`: seconds that a group waits for a server that went away."""
        self._learn = learn
        self._patience = patience
        self._max_waiting = max_waiting
        self._max_group = max_group
        self._queue: list[Waiting] = []
        self._travelling: set[tuple[str, str]] = set()
        self._news = asyncio.Event()
        self._stopping = False
        self._lanes = [Lane(connect) for _ in range(LANES)]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._lanes[0].open()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run(lane), name="mutx-flusher") for lane in self._lanes]

    async def stop(self) -> None:
        """Write what is queued, then close the connections."""
        self._stopping = True
        self._news.set()
        await asyncio.gather(*self._tasks)
        for lane in self._lanes:
            lane.drop()

    def submit(self, parts: Parts, done: Done) -> None:
        """Queue a turn. Raises LedgerUnavailable at once when too many wait."""
        if self._stopping or not self._tasks:
            raise LedgerUnavailable("the database is being closed; try again after the restart")
        if len(self._queue) >= self._max_waiting:
            raise LedgerUnavailable("too many writes are waiting for the database; try again in a moment")
        self._queue.append(Waiting(parts, done))
        self._news.set()

    async def _run(self, lane: Lane) -> None:
        while self._queue or not self._stopping:
            group = self._take()
            if not group:
                self._news.clear()
                await self._news.wait()
                continue
            sessions = {waiting.session for waiting in group}
            self._travelling |= sessions
            try:
                await self._flush(lane, group)
            except Exception as error:
                logger.exception("a group of %d turns failed", len(group))
                lane.drop()
                _fail(group, refusal(error))
            finally:
                self._travelling -= sessions
                self._news.set()

    def _take(self) -> list[Waiting]:
        """What goes together: in the order of arrival, no step twice; then sorted, each session's turns in a row."""
        group: list[Waiting] = []
        left: list[Waiting] = []
        later, steps, size = set(self._travelling), set[tuple[str, ...]](), 0
        for waiting in self._queue:
            full = len(group) >= self._max_group or (group and size + waiting.parts.size > MAX_BYTES)
            if full or waiting.session in later or waiting.step in steps:
                later.add(waiting.session)
                left.append(waiting)
                continue
            group.append(waiting)
            steps.add(waiting.step)
            size += waiting.parts.size
        self._queue = left
        return sorted(group, key=lambda waiting: waiting.session)

    async def _flush(self, lane: Lane, group: Sequence[Waiting]) -> None:
        loop = asyncio.get_running_loop()
        deadline, pause, again, collisions = loop.time() + self._patience, FIRST_PAUSE, False, 0
        while True:
            try:
                refusals, counted = await lane.send(group, again)
            except COLLIDED as error:
                collisions += 1
                if collisions > COLLISIONS:
                    return await self._apart(lane, group, error)
            except GONE as error:
                lane.drop()
                again = True
                if loop.time() + pause > deadline:
                    return _fail(group, refusal(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            except asyncpg.PostgresError as error:
                return await self._apart(lane, group, error)
            else:
                return self._settle(group, refusals, counted)

    async def _apart(self, lane: Lane, group: Sequence[Waiting], error: Exception) -> None:
        """Something in the group cannot be written, and nothing of it was: halve it until that one stands alone."""
        if len(group) == 1:
            _fail(group, refusal(error))
            return
        half = len(group) // 2
        await self._flush(lane, group[:half])
        await self._flush(lane, group[half:])

    def _settle(self, group: Sequence[Waiting], refusals: Sequence[str | None], counted: Sequence[int] | None) -> None:
        charges: list[Row] = [row for waiting in group for row in waiting.parts.charges]
        for (workspace_id, key, *_), value in zip(charges, counted or (), strict=True):
            self._learn(workspace_id, key, value)
        _tell(group, [_refused(found) for found in refusals])


def _refused(found: str | None) -> MutxError | None:
    if found is None or found == "recorded":
        return None
    kind, text = REFUSED[found]
    return kind(text)


def _fail(group: Sequence[Waiting], error: MutxError) -> None:
    _tell(group, [error] * len(group))


def _tell(group: Sequence[Waiting], errors: Sequence[MutxError | None]) -> None:
    """From the loop, so that whoever fails over it does not look like a group that failed."""
    outcomes = [(waiting.done, None, error) for waiting, error in zip(group, errors, strict=True)]
    asyncio.get_running_loop().call_soon(tell, outcomes)
