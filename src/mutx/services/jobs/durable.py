"""Durable jobs as the rest of the product sees them.

A job is enqueued durably under the caller's id, taken by exactly one runner, tried again with growing pauses, and kept as
`dead` when its last attempt failed, until somebody retries it. A runner that dies leaves its jobs behind: on SQLite they
go on at the next start, on PostgreSQL another replica takes them over.

The engine (DBOS, `services.jobs.engine`) costs a second to import and launch, so that happens in a thread when a job is
first needed, or after the server is ready where there may be jobs of an earlier run or of other replicas. It is one per process: of several control planes in one process, one has it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry, Counter

from mutx.kit.clock import Clock
from mutx.kit.errors import Conflict, InputError, MutxError, NotFound, Unavailable
from mutx.kit.ids import new_id
from mutx.services.jobs.history import may_hold_jobs
from mutx.services.jobs.model import Backoff, Handlers, JobRecord, JobStatus, NewJob, Payload
from mutx.services.jobs.runners import Runners

if TYPE_CHECKING:
    from mutx.services.jobs.engine import Engine

log = logging.getLogger(__name__)

T = TypeVar("T")

SCHEMA = "mutx_jobs"
DAY = 86_400.0
KEEP_DONE, KEEP_DEAD = 7 * DAY, 90 * DAY


class DurableJobs:
    """Start it on the event loop that the handlers belong to."""

    def __init__(
        self,
        url: str,
        handlers: Handlers,
        clock: Clock,
        registry: CollectorRegistry,
        *,
        backoff: Backoff | None = None,
        runner: str | None = None,
    ) -> None:
        """`url`: SQLAlchemy URL, SQLite or PostgreSQL (psycopg). `runner`: a name no other living process has."""
        self._url = url
        self._handlers = handlers
        self._clock = clock
        self._backoff = backoff or Backoff()
        shared = url.startswith("postgresql")
        self._runners = Runners(url, SCHEMA) if shared else None
        self._runner = (runner or new_id()) if shared else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None
        self._launching = asyncio.Lock()
        self._stopped = False
        self._attempts = Counter("mutx_job_attempts_total", "Attempts at jobs", ["kind", "outcome"], registry=registry)

    # -- what others ask ----------------------------------------------------------------------------------------

    async def enqueue(self, job: NewJob) -> None:
        """Durable when this returns; the same id again changes nothing. Raises Unavailable."""
        await self._ask(lambda engine: engine.enqueue(job))

    async def page(self, workspace_id: str, status: JobStatus | None, skip: int, limit: int) -> list[JobRecord]:
        """Newest first. Raises Unavailable."""
        return await self._ask(lambda engine: engine.page(workspace_id, status, skip, limit))

    async def get(self, workspace_id: str, job_id: str) -> JobRecord:
        """Raises NotFound, Unavailable."""
        found = await self._ask(lambda engine: engine.get(workspace_id, job_id))
        if found is None:
            raise NotFound(f"no job {job_id!r}; `mutx jobs list` shows them")
        return found

    async def retry(self, workspace_id: str, job_id: str) -> JobRecord:
        """Begin a dead job anew. Raises NotFound, Conflict, Unavailable."""
        found = await self.get(workspace_id, job_id)
        if found.status is not JobStatus.DEAD:
            raise Conflict(f"the job is {found.status.value}; only a dead one is retried")
        await self._ask(lambda engine: engine.retry(job_id))
        return await self.get(workspace_id, job_id)

    # -- its life -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Launch the engine, if nobody has needed it yet and there may be something for it. Raises Unavailable."""
        if self._engine is None and await asyncio.to_thread(may_hold_jobs, self._url):
            await self._launched()

    async def stop(self) -> None:
        """Stop the engine's threads. What is under way is taken up again: here at the next start, or by another."""
        self._stopped = True
        async with self._launching:
            engine, self._engine = self._engine, None
            if engine is not None:
                await asyncio.to_thread(engine.close)
                await self._leave()
            if self._runners is not None:
                self._runners.close()

    async def beat(self) -> None:
        """Say that this runner lives, and take over from those that do not. Call it every `BEAT_SECONDS`."""
        if self._runners is None or self._runner is None or self._engine is None:
            return
        await asyncio.to_thread(self._runners.beat, self._runner)
        dead = await asyncio.to_thread(self._runners.bury)
        if dead:
            log.warning("%d job runners died; their jobs are handed out again", len(dead))
            await self._ask(lambda engine: engine.take_over(dead))

    async def keep_house(self) -> None:
        """Forget what ended long ago."""
        if self._engine is not None:
            now = self._clock.now()
            await self._ask(lambda engine: engine.forget(JobStatus.DONE, now - KEEP_DONE))
            await self._ask(lambda engine: engine.forget(JobStatus.DEAD, now - KEEP_DEAD))

    # -- inside -------------------------------------------------------------------------------------------------

    async def _leave(self) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        # where the database is gone, the others find out by this runner's silence
        with suppress(SQLAlchemyError):
            if self._runners is not None and self._runner is not None:
                await asyncio.to_thread(self._runners.leave, self._runner)

    async def _ask(self, question: "Callable[[Engine], T]") -> T:
        engine = self._engine or await self._launched()
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return await asyncio.to_thread(question, engine)
        except SQLAlchemyError as error:
            raise Unavailable("the job database does not answer; see the server log, then try again") from error

    async def _launched(self) -> "Engine":
        async with self._launching:
            if self._stopped:
                raise Unavailable("this control plane is stopping; nothing was done")
            if self._engine is None:
                self._loop = asyncio.get_running_loop()
                self._engine = await asyncio.to_thread(self._launch)
            return self._engine

    def _launch(self) -> "Engine":
        from mutx.services.jobs.engine import ALONE, Engine, EngineTaken

        engine = Engine(self._url, self._run, self._gave_up, self._backoff, schema=SCHEMA, runner=self._runner or ALONE)
        try:
            if self._runners is not None and self._runner is not None:
                self._runners.enter(self._runner)
            engine.launch()
        except EngineTaken:
            raise
        except Exception as error:
            engine.close()
            raise Unavailable(
                "the job database cannot be opened; check JOBS_DATABASE_URL and the home directory, then try again"
            ) from error
        return engine

    async def _run(self, kind: str, payload: Payload) -> None:
        """One attempt, on the handlers' own event loop."""
        assert self._loop is not None
        attempt = asyncio.run_coroutine_threadsafe(self._attempt(kind, payload), self._loop)
        await asyncio.wrap_future(attempt)

    async def _attempt(self, kind: str, payload: Payload) -> None:
        from mutx.services.jobs.engine import JobAttemptFailed, JobRefused

        handler = self._handlers.get(kind)
        if handler is None:
            self._count(kind, "failed")
            raise JobAttemptFailed(
                f"this installation does no jobs of the kind {kind!r} at present; check its settings"
            )
        try:
            await handler(payload)
        except InputError as error:
            self._count(kind, "refused")
            raise JobRefused(str(error)) from error
        except MutxError as error:
            self._count(kind, "failed")
            raise JobAttemptFailed(str(error)) from error
        except Exception as error:
            self._count(kind, "failed")
            log.exception("a job of kind %s failed", kind)
            raise JobAttemptFailed(f"{type(error).__name__}; the server log has more") from error
        self._count(kind, "done")

    def _gave_up(self, kind: str, why: str) -> None:
        self._count(kind, "dead")
        log.warning("a job of kind %s was given up, `mutx jobs list` shows it: %s", kind, why)

    def _count(self, kind: str, outcome: str) -> None:
        self._attempts.labels(kind, outcome).inc()
