"""The one writer of a SQLite file: a queue on the event loop, committing in groups.

What arrives while a commit waits for the disk goes into the next transaction together (natural batching): one fsync
for all of it, and one wake-up of the event loop. A job that is refused fails alone; a commit that fails fails them all.

Brief jobs write on the loop itself and only the commit, which waits for the disk, goes to a thread: every statement on
another thread would cost two hand-overs of the interpreter, more than the statement. Whatever may take long, or has to
wait for a lock that somebody else holds on the file, runs on the thread as a whole. Loop and thread never use the
connection at once: a group has it until it is finished.
"""

import asyncio
import logging
import sqlite3
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import groupby
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

from mutx.kit.errors import LedgerUnavailable, MutxError, Unavailable
from mutx.storage.dialect import refusal

logger = logging.getLogger(__name__)

MAX_GROUP = 128
"""Jobs of one transaction: what the loop writes in one go, it cannot spend on anything else."""
GATHERED = 16
"""Jobs for which a group no longer waits while the loop brings more. The statements of a group and its commit cost the
less for each job the more jobs there are; what goes on arriving is written while this many wait for the disk."""
QUIET_TURNS = 2
"""Turns of the loop without a new job after which none is on its way: data is read in one and handled in the next."""
MAX_WAITING = 8192
STAND_STILL_SECONDS = 30.0
"""How long a slice may hold the file before the queue goes on regardless; units end long before."""


Done = Callable[[Any, MutxError | None], None]
"""Hears, on the loop, what became of a job."""


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

    __slots__ = ("brief", "done", "error", "result", "run", "together")

    def __init__(
        self,
        run: Callable[[WriteBatch], Any],
        done: Done,
        *,
        brief: bool,
        together: Together | None,
    ) -> None:
        self.run = run
        self.done = done
        self.brief = brief
        self.together = together
        self.result: Any = None
        self.error: MutxError | None = None


class Pass:
    """A slice's place in the queue: while it is held no group is written."""

    __slots__ = ("granted", "held", "released")

    def __init__(self, granted: asyncio.Future[None]) -> None:
        self.granted = granted
        self.held = False
        self.released = False


class Writer:
    """Owns the file's writing connection. Jobs run in the order they came; call it on the loop that started it."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        *,
        max_waiting: int = MAX_WAITING,
        stand_still: float = STAND_STILL_SECONDS,
    ) -> None:
        self._connect = connect
        self._stand_still = stand_still
        self._max_waiting = max_waiting
        self._queue: deque[Job | Pass] = deque()
        self._busy = False
        """A group is under way, or a slice holds the file."""
        self._called = False
        self._seen = self._quiet = 0
        """Entries that the last look at the queue found, and for how many looks there have been no more."""
        self._waiting = 0
        self._stopped = False
        self._connection: sqlite3.Connection | None = None
        self._patience = 0
        self._orders: SimpleQueue[tuple[list[Job], Callable[[], None]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="mutx-writer", daemon=True)

    def start(self) -> None:
        """Open the connection and begin; call on the event loop that will await the results."""
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._idle.set()
        self._open()
        self._thread.start()

    async def stop(self) -> None:
        """Finish what is queued, then close the connection."""
        if self._stopped:
            return
        self._stopped = True
        await self._idle.wait()
        self._orders.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._connection is not None:
            self._connection.close()

    def submit(
        self,
        run: Callable[[WriteBatch], Any],
        done: Done,
        *,
        brief: bool = False,
        together: Together | None = None,
    ) -> None:
        """Queue work. `done(result, error)` is called on the loop after the commit, or after it failed.

        `brief`: a few statements that find their rows by index, fit to run on the loop. `together`: the shorter way,
        with no result, where neighbours in the queue have it as well. Raises LedgerUnavailable at once when too many
        are waiting.
        """
        if self._stopped:
            raise LedgerUnavailable("the database is being closed; try again after the restart")
        if self._waiting >= self._max_waiting:
            raise LedgerUnavailable("too many writes are waiting for the disk; try again in a moment")
        self._waiting += 1
        self._enqueue(Job(run, done, brief=brief, together=together))

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
        self._enqueue(place)
        try:
            try:
                await asyncio.wait_for(place.granted, seconds)
            except TimeoutError as error:
                raise Unavailable("the database is busy; try again in a moment") from error
            yield
        finally:
            self._release(place)

    # -- the queue, on the loop ---------------------------------------------------------------------------------

    def _enqueue(self, entry: Job | Pass) -> None:
        self._queue.append(entry)
        self._idle.clear()
        self._call()

    def _call(self) -> None:
        """Look at the queue once the loop has run what it has at hand, and again while that brings more."""
        if not (self._called or self._busy):
            self._called = True
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        self._called = False
        if self._busy:
            return
        if self._growing():
            self._call()
            return
        while self._queue:
            first = self._queue[0]
            if isinstance(first, Job):
                self._begin(self._take())
                return
            self._queue.popleft()
            if not first.granted.done():
                self._grant(first)
                return
        self._idle.set()

    def _growing(self) -> bool:
        """Whether the group is still small and was joined in one of the loop's last turns."""
        found = len(self._queue)
        self._quiet = 0 if found > self._seen else self._quiet + 1
        self._seen = found
        if found and found < GATHERED and self._quiet < QUIET_TURNS:
            return True
        self._seen = self._quiet = 0
        return False

    def _take(self, most: int = MAX_GROUP) -> list[Job]:
        queue, jobs = self._queue, list[Job]()
        while queue and len(jobs) < most and isinstance(queue[0], Job):
            jobs.append(queue.popleft())  # type: ignore[arg-type] # looked at just before
        return jobs

    def _grant(self, place: Pass) -> None:
        self._busy = place.held = True
        place.granted.set_result(None)
        self._loop.call_later(self._stand_still, self._reclaim, place)

    def _release(self, place: Pass) -> None:
        if not place.released:
            place.released = True
            self._busy = self._busy and not place.held
            self._call()

    def _reclaim(self, place: Pass) -> None:
        if not place.released:
            logger.error("a unit of work held the database for too long; going on without it")
            self._release(place)

    def _begin(self, jobs: list[Job]) -> None:
        """Write a group here, if that takes a moment, and commit it on the thread; else do all of it there."""
        self._busy = True
        connection = self._connection
        if connection is None or not all(job.brief for job in jobs) or not _claimed(connection):
            self._orders.put((jobs, partial(self._transact, jobs)))
        elif self._attempt(jobs, partial(_write_all, connection, jobs)):
            self._orders.put((jobs, self._commit))
        else:
            self._finish(jobs)

    def _finish(self, jobs: list[Job]) -> None:
        self._busy = False
        self._waiting -= len(jobs)
        try:
            tell((job.done, job.result, job.error) for job in jobs)
        finally:
            self._call()

    # -- the transaction, by whoever has the group ------------------------------------------------------------------

    def _run(self) -> None:
        """The thread: what is ordered, in order."""
        while (order := self._orders.get()) is not None:
            jobs, step = order
            self._attempt(jobs, step)
            with suppress(RuntimeError):  # the loop is gone, and with it everybody who waited
                self._loop.call_soon_threadsafe(self._finish, jobs)

    def _attempt(self, jobs: list[Job], step: Callable[[], None]) -> bool:
        """One step of a group's transaction. False if it failed: nothing of the group is written, and each job says so."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the worker's one: whatever failed, nobody is answered with success
            self._recover()
            log = logger.warning if isinstance(error, sqlite3.Error) else logger.exception
            log("a write of %d jobs failed: %s", len(jobs), error)
            for job in jobs:
                job.error = refusal(error)
            return False
        return True

    def _transact(self, jobs: list[Job]) -> None:
        """All of it at once, with time to wait for the file."""
        connection = self._connection or self._open()
        connection.execute(f"PRAGMA busy_timeout={self._patience}")
        connection.execute("BEGIN IMMEDIATE")
        _write_all(connection, jobs)
        connection.execute("COMMIT")
        connection.execute("PRAGMA busy_timeout=0")

    def _commit(self) -> None:
        assert self._connection is not None  # the group that is committed was written on it
        self._connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        """A fresh connection that waits for nobody, unless it is told to."""
        self._connection = connection = self._connect()
        (self._patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout=0")
        return connection

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


def _claimed(connection: sqlite3.Connection) -> bool:
    """Begin, unless somebody else holds the file or something is wrong with it: that takes a thread's time."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error:
        return False
    return True


def _write_all(connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    """Everything of a group but its commit."""
    batch = WriteBatch(connection)
    for _, group in groupby(jobs, key=lambda job: job.together and job.together.write):
        neighbours = list(group)
        if not _written_together(connection, neighbours):
            _run_each(batch, neighbours)
    batch.flush()


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


def tell(waiting: Iterable[tuple[Done, Any, MutxError | None]]) -> None:
    """Hand everyone of a group their outcome. One that fails over it keeps nobody else waiting; its error goes on."""
    left = iter(waiting)
    try:
        for done, result, error in left:
            done(result, error)
    finally:
        if rest := list(left):
            tell(rest)


def settle(future: asyncio.Future[Any], result: Any, error: MutxError | None) -> None:
    """Hand an outcome to whoever still waits for it."""
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
