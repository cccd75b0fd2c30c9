"""The one writer of a SQLite file: a thread with a queue, committing in groups.

What arrives while a commit waits for the disk goes into the next transaction together (natural batching): one fsync
for all of it, and one wake-up of the event loop. A job that is refused fails alone; a commit that fails fails them all.
"""

import asyncio
import logging
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Event as Signal
from threading import Thread
from typing import Any, NamedTuple

from mutx.kit.errors import LedgerUnavailable, MutxError, Unavailable
from mutx.storage.dialect import refusal

logger = logging.getLogger(__name__)

MAX_BATCH = 512
MAX_WAITING = 8192
STAND_STILL_SECONDS = 30.0
"""How long the thread lets a slice write the file before it goes on regardless; units end long before."""


class WriteBatch:
    """One transaction in the making, as a job sees it."""

    __slots__ = ("_later", "connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._later: defaultdict[str, list[Sequence[Any]]] = defaultdict(list)

    def later(self, statement: str, row: Sequence[Any]) -> None:
        """Write a row that no job of this batch reads, together with others of its kind just before the commit."""
        self._later[statement].append(row)

    def flush(self) -> None:
        for statement, rows in self._later.items():
            self.connection.executemany(statement, rows)


class Together(NamedTuple):
    """How work may be done along with more of its kind: `write(connection, payloads)`.

    It answers False, or raises IntegrityError, where that does not go; what it wrote is undone and each runs by itself.
    """

    write: Callable[[sqlite3.Connection, Sequence[Any]], bool]
    payload: Any


class Job:
    """A piece of work inside somebody's transaction: all its checks come before its first write."""

    __slots__ = ("done", "error", "result", "run", "together")

    def __init__(
        self,
        run: Callable[[WriteBatch], Any],
        done: Callable[[Any, MutxError | None], None],
        together: Together | None = None,
    ) -> None:
        self.run = run
        self.done = done
        self.together = together
        self.result: Any = None
        self.error: MutxError | None = None


class Pass:
    """A slice's place in the queue: while it is held the writer thread stands still."""

    __slots__ = ("granted", "released")

    def __init__(self, granted: asyncio.Future[None]) -> None:
        self.granted = granted
        self.released = Signal()


class Stop:
    """The last thing in the queue."""


class Writer:
    """Owns the file's writing connection. Jobs run in the order they came; their results come back on the loop."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        *,
        max_waiting: int = MAX_WAITING,
        stand_still: float = STAND_STILL_SECONDS,
    ) -> None:
        self._connect = connect
        self._stand_still_seconds = stand_still
        self._max_waiting = max_waiting
        self._queue: SimpleQueue[list[Job] | Pass | Stop] = SimpleQueue()
        self._gathered: list[Job] = []
        self._waiting = 0
        self._stopped = False
        self._thread = Thread(target=self._run, name="mutx-writer", daemon=True)

    def start(self) -> None:
        """Open the connection and begin; call on the event loop that will await the results."""
        self._loop = asyncio.get_running_loop()
        self._connection: sqlite3.Connection | None = self._connect()
        self._thread.start()

    async def stop(self) -> None:
        """Finish what is queued, then close the connection."""
        if self._stopped:
            return
        self._stopped = True
        self._hand_over()
        self._queue.put(Stop())
        await asyncio.to_thread(self._thread.join)
        await asyncio.sleep(0)

    def submit(
        self,
        run: Callable[[WriteBatch], Any],
        done: Callable[[Any, MutxError | None], None],
        together: Together | None = None,
    ) -> None:
        """Queue work. `done(result, error)` is called on the loop after the commit, or after it failed.

        `together`: the shorter way, with no result, where neighbours in the queue have it as well. Raises LedgerUnavailable at once when too many are waiting.
        """
        if self._stopped:
            raise LedgerUnavailable("the database is being closed; try again after the restart")
        if self._waiting >= self._max_waiting:
            raise LedgerUnavailable("too many writes are waiting for the disk; try again in a moment")
        self._waiting += 1
        if not self._gathered:
            # What the loop submits in one go is handed over in one go: one wake-up of the thread, one group.
            self._loop.call_soon(self._hand_over)
        self._gathered.append(Job(run, done, together))

    def _hand_over(self) -> None:
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._queue.put(gathered)

    def execute(self, run: Callable[[WriteBatch], Any]) -> asyncio.Future[Any]:
        """`submit`, with a future for the result."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self.submit(run, lambda result, error: settle(future, result, error))
        return future

    @asynccontextmanager
    async def turn(self, seconds: float) -> AsyncIterator[None]:
        """Hold the file for a transaction of one's own. Raises Unavailable if the place does not come up in time."""
        if self._stopped:
            raise Unavailable("the database is being closed; try again after the restart")
        place = Pass(self._loop.create_future())
        self._hand_over()
        self._queue.put(place)
        try:
            try:
                await asyncio.wait_for(place.granted, seconds)
            except TimeoutError as error:
                raise Unavailable("the database is busy; try again in a moment") from error
            yield
        finally:
            place.released.set()

    def _run(self) -> None:
        """Drain the queue until it ends."""
        stopping = False
        while not stopping:
            jobs: list[Job] = []
            for entry in self._collect():
                if isinstance(entry, list):
                    jobs += entry
                    continue
                self._write(jobs)
                jobs = []
                if isinstance(entry, Pass):
                    self._stand_still(entry)
                else:
                    stopping = True
            self._write(jobs)
        if self._connection is not None:
            self._connection.close()

    def _collect(self) -> list[list[Job] | Pass | Stop]:
        found = [self._queue.get()]
        with suppress(Empty):
            while len(found) < MAX_BATCH:
                found.append(self._queue.get_nowait())
        return found

    def _stand_still(self, place: Pass) -> None:
        self._tell(lambda: settle(place.granted, None, None))
        if not place.released.wait(self._stand_still_seconds):
            logger.error("a unit of work held the database for too long; going on without it")

    def _write(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        try:
            self._transact(jobs)
        except Exception as error:  # noqa: BLE001 - the worker's one: whatever failed, nobody is answered with success
            self._recover()
            log = logger.warning if isinstance(error, sqlite3.Error) else logger.exception
            log("a write of %d jobs failed: %s", len(jobs), error)
            for job in jobs:
                job.error = refusal(error)
        self._tell(lambda: self._finish(jobs))

    def _transact(self, jobs: list[Job]) -> None:
        if self._connection is None:
            self._connection = self._connect()
        batch = WriteBatch(self._connection)
        self._connection.execute("BEGIN IMMEDIATE")
        for _, group in groupby(jobs, key=lambda job: job.together and job.together.write):
            neighbours = list(group)
            if not _written_together(self._connection, neighbours):
                _run_each(batch, neighbours)
        batch.flush()
        self._connection.execute("COMMIT")

    def _recover(self) -> None:
        """After a failure the transaction may be in any state: begin anew on a fresh connection."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        with suppress(sqlite3.Error):
            connection.close()

    def _finish(self, jobs: list[Job]) -> None:
        self._waiting -= len(jobs)
        for job in jobs:
            job.done(job.result, job.error)

    def _tell(self, news: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is gone, and with it everybody who waited
            self._loop.call_soon_threadsafe(news)


def _run_each(batch: WriteBatch, jobs: Sequence[Job]) -> None:
    for job in jobs:
        try:
            job.result = job.run(batch)
        except MutxError as refused:
            job.error = refused


def _written_together(db: sqlite3.Connection, jobs: Sequence[Job]) -> bool:
    """Write neighbours of one kind at once; False leaves no trace."""
    kind = jobs[0].together
    if kind is None or len(jobs) == 1:
        return False
    db.execute("SAVEPOINT together")
    try:
        written = kind.write(db, [job.together.payload for job in jobs if job.together])
    except sqlite3.IntegrityError:
        written = False
    if not written:
        db.execute("ROLLBACK TO together")
    db.execute("RELEASE together")
    return written


def settle(future: asyncio.Future[Any], result: Any, error: MutxError | None) -> None:
    """Hand an outcome to whoever still waits for it."""
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
