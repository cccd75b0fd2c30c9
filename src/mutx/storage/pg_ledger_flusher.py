"""The one appender of a process on PostgreSQL: whatever waits goes to the server as one group, in one round trip.

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
from mutx.storage.ledger_core import Done
from mutx.storage.pg_ledger_rows import Parts, Row, arrays
from mutx.storage.pg_ledger_store import FIRST_PAUSE, GONE, LONGEST_PAUSE, PATIENCE_SECONDS, Connect, refusal

logger = logging.getLogger(__name__)

APPEND = "SELECT * FROM ledger_append($1, $2, $3, $4, $5, $6)"

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
        """Workspace, kind and action: on record once."""
        row = self.parts.turn
        return row[0], row[5], row[6]


class Flusher:
    """Owns the appending connection."""

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
        self._connect = connect
        self._learn = learn
        self._patience = patience
        self._max_waiting = max_waiting
        self._max_group = max_group
        self._queue: list[Waiting] = []
        self._news = asyncio.Event()
        self._stopping = False
        self._connection: Any = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._connection = await self._connect()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="mutx-flusher")

    async def stop(self) -> None:
        """Write what is queued, then close the connection."""
        self._stopping = True
        self._news.set()
        if self._task is not None:
            await self._task
        self._drop()

    def submit(self, parts: Parts, done: Done) -> None:
        """Queue a turn. Raises LedgerUnavailable at once when too many wait."""
        if self._stopping or self._task is None:
            raise LedgerUnavailable("the database is being closed; try again after the restart")
        if len(self._queue) >= self._max_waiting:
            raise LedgerUnavailable("too many writes are waiting for the database; try again in a moment")
        self._queue.append(Waiting(parts, done))
        self._news.set()

    async def _run(self) -> None:
        while self._queue or not self._stopping:
            self._news.clear()
            if self._queue:
                group = self._take()
                try:
                    await self._flush(group)
                except Exception as error:
                    logger.exception("a group of %d turns failed", len(group))
                    self._drop()
                    _fail(group, refusal(error))
            elif not self._stopping:
                await self._news.wait()

    def _take(self) -> list[Waiting]:
        """What goes together: in the order of arrival, no step twice; then sorted, each session's turns in a row."""
        steps: set[tuple[str, ...]] = set()
        size = 0
        for waiting in self._queue[: self._max_group]:
            size += waiting.parts.size
            if steps and (waiting.step in steps or size > MAX_BYTES):
                break
            steps.add(waiting.step if waiting.step[1] != "resolution" else (*waiting.step, waiting.parts.turn[7]))
        group, self._queue = self._queue[: len(steps)], self._queue[len(steps) :]
        return sorted(group, key=lambda waiting: waiting.session)

    async def _flush(self, group: Sequence[Waiting]) -> None:
        loop = asyncio.get_running_loop()
        deadline, pause, again, collisions = loop.time() + self._patience, FIRST_PAUSE, False, 0
        while True:
            try:
                refusals, counted = await self._send(group, again)
            except COLLIDED as error:
                collisions += 1
                if collisions > COLLISIONS:
                    await self._apart(group, error)
                    return
            except GONE as error:
                self._drop()
                again = True
                if loop.time() + pause > deadline:
                    _fail(group, refusal(error))
                    return
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            except asyncpg.PostgresError as error:
                await self._apart(group, error)
                return
            else:
                self._settle(group, refusals, counted)
                return

    async def _send(self, group: Sequence[Waiting], again: bool) -> tuple[list[str | None], list[int] | None]:
        if self._connection is None:
            self._connection = await self._connect()
        found = await self._connection.fetchrow(
            APPEND, again, *arrays([waiting.parts for waiting in group]), timeout=self._patience
        )
        return found["refusals"], found["counted"]

    async def _apart(self, group: Sequence[Waiting], error: Exception) -> None:
        """Something in the group cannot be written, and nothing of it was: halve it until that one stands alone."""
        if len(group) == 1:
            _fail(group, refusal(error))
            return
        half = len(group) // 2
        await self._flush(group[:half])
        await self._flush(group[half:])

    def _settle(self, group: Sequence[Waiting], refusals: Sequence[str | None], counted: Sequence[int] | None) -> None:
        charges: list[Row] = [row for waiting in group for row in waiting.parts.charges]
        for (workspace_id, key, *_), value in zip(charges, counted or (), strict=True):
            self._learn(workspace_id, key, value)
        for waiting, refused in zip(group, refusals, strict=True):
            if refused is None or refused == "recorded":
                waiting.done(None, None)
            else:
                kind, text = REFUSED[refused]
                waiting.done(None, kind(text))

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, asyncpg.InterfaceError):
                connection.terminate()


def _fail(group: Sequence[Waiting], error: MutxError) -> None:
    for waiting in group:
        waiting.done(None, error)
