"""Carries events from the outbox to the sinks, after the write: late at worst, never lost, blocking nobody.

Each sink has a task and a cursor of its own. A sink that fails is tried again, waiting longer each time; its events stay
in the outbox meanwhile. An event may come twice (a crash between delivery and acknowledgement), so sinks are idempotent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.ports import Sink
from mutx.governance.telemetry import wanted
from mutx.governance.turn import Event
from mutx.storage.ledger_tables import outbox
from mutx.storage.views import Outbox

logger = logging.getLogger(__name__)

BATCH = 200
IDLE_SECONDS = 1.0
SEND_SECONDS = 30.0
RETRY_SECONDS = 0.5
MAX_RETRY_SECONDS = 60.0
PRUNE_SECONDS = 60.0


HEAR = "mutx.hear"
"""Name in a session's `info` of who hears of its news within the same unit of work (`Hear`)."""

Hear = Callable[[AsyncSession, Sequence[Event]], Awaitable[None]]


async def tell(session: AsyncSession, events: Sequence[Event]) -> None:
    """Put a slice's news into the outbox, in the same unit of work as what it tells of; `HEAR` hears of it at once."""
    rows = [
        {"topic": event.topic, "workspace_id": event.workspace_id, "at": event.at, "payload": event.payload}
        for event in events
    ]
    if rows:
        await session.execute(insert(outbox), rows)
        hear: Hear | None = session.info.get(HEAR)
        if hear is not None:
            await hear(session, events)


class OutboxPump:
    """Runs while the server does."""

    def __init__(
        self,
        source: Outbox,
        sinks: Sequence[Sink],
        *,
        batch: int = BATCH,
        idle: float = IDLE_SECONDS,
        retry: float = RETRY_SECONDS,
        send: float = SEND_SECONDS,
        prune: float = PRUNE_SECONDS,
    ) -> None:
        """Seconds: `idle` between looks, `retry` before the first retry, `send` for one delivery, `prune` between prunings."""
        self._source = source
        self._sinks = tuple(sinks)
        self._batch = batch
        self._idle = idle
        self._retry = retry
        self._send = send
        self._prune_seconds = prune
        self._news = {sink.name: asyncio.Event() for sink in self._sinks}
        self._stopping = asyncio.Event()

    def poke(self) -> None:
        """There may be news: look at once."""
        for news in self._news.values():
            news.set()

    def stop(self) -> None:
        """Let `run` end after the deliveries under way."""
        self._stopping.set()
        self.poke()

    async def run(self) -> None:
        """Until stopped or cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for sink in self._sinks:
                tasks.create_task(self._feed(sink))
            tasks.create_task(self._prune())

    async def deliver(self, sink: Sink) -> int:
        """Bring `sink` what it wants of the next batch; returns how many events the batch had.

        Raises what the sink or the store raises.
        """
        queued = await self._source.events(sink.name, self._batch)
        if queued:
            own = [entry.event for entry in queued if wanted(sink.topics, entry.event.topic)]
            async with asyncio.timeout(self._send):
                if own:
                    await sink.send(own)
            await self._source.acknowledge(sink.name, queued[-1].id)
        return len(queued)

    async def _feed(self, sink: Sink) -> None:
        wait = self._retry
        while not self._stopping.is_set():
            self._news[sink.name].clear()
            try:
                delivered = await self.deliver(sink)
            except Exception as error:  # noqa: BLE001 - the worker's one: whatever ails a sink, its events wait
                logger.warning("sink %s failed, next try in %.1f s: %r", sink.name, wait, error)
                await rest(self._stopping, wait)
                wait = min(2 * wait, MAX_RETRY_SECONDS)
                continue
            wait = self._retry
            if delivered < self._batch and not self._stopping.is_set():
                await rest(self._news[sink.name], self._idle)

    async def _prune(self) -> None:
        names = [sink.name for sink in self._sinks]
        while not self._stopping.is_set():
            await rest(self._stopping, self._prune_seconds)
            await self._source.prune_events(names)


async def rest(until: asyncio.Event, seconds: float) -> None:
    """Sleep, but wake at once when the event is set."""
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        return
