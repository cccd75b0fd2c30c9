"""Background loops of one process. What they do stands in rows, so a loop that dies with the process loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct

from mutx.storage.outbox import rest

log = structlog.stdlib.get_logger("mutx.workers")

Job = Callable[[], Awaitable[object]]

STOP_SECONDS = 5.0
"""How long a run under way may take to end before it is cancelled; what it had not committed is undone."""


class Periodic(Struct, frozen=True):
    """A job and the seconds between the end of one run and the start of the next."""

    name: str
    job: Job
    seconds: float
    after: float = 0.0
    """Seconds until the first run."""


class Workers:
    """Runs every job until stopped. A run that fails is logged and tried again; the others go on."""

    def __init__(self, jobs: tuple[Periodic, ...]) -> None:
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self.failures: dict[str, int] = {}
        """Failed runs in a row of each job."""

    def start(self, also: tuple[Periodic, ...] = ()) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._repeat(job), name=f"mutx-{job.name}") for job in (*self._jobs, *also)]

    async def stop(self) -> None:
        """Let runs under way end by themselves; cancel those that take too long."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._tasks = []

    async def _repeat(self, periodic: Periodic) -> None:
        if periodic.after:
            await rest(self._stopping, periodic.after)
        while not self._stopping.is_set():
            try:
                await periodic.job()
                self.failures[periodic.name] = 0
            except Exception:
                # The workers' one broad except: a background job must not end because one run of it failed.
                self.failures[periodic.name] = self.failures.get(periodic.name, 0) + 1
                log.exception("a background job failed and will be tried again", job=periodic.name)
            await rest(self._stopping, periodic.seconds)
