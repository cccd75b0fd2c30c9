"""News reaches every sink, late if it must; a dead sink keeps nobody waiting."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from mutx.governance.turn import Event
from mutx.storage.ledger import SqliteLedger
from mutx.storage.outbox import OutboxPump, tell
from mutx.storage.sqlite_database import SqliteDatabase
from tests.conformance.scribe import Scribe


class Shelf:
    """A sink that keeps what it gets; dead while `alive` is not set."""

    def __init__(self, name: str, *, alive: bool = True, topics: frozenset[str] | None = None) -> None:
        self.name = name
        self.topics = topics
        self.alive = alive
        self.tries = 0
        self.got: list[Event] = []
        self.changed = asyncio.Event()

    async def send(self, events: Sequence[Event]) -> None:
        self.tries += 1
        self.got += events if self.alive else ()
        self.changed.set()
        if not self.alive:
            raise ConnectionError("nobody there")

    async def tried(self, times: int) -> None:
        while self.tries < times:
            self.changed.clear()
            await self.changed.wait()

    async def holds(self, count: int) -> None:
        while len(self.got) < count:
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def running(pump: OutboxPump) -> AsyncIterator[None]:
    task = asyncio.ensure_future(pump.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def event(number: int) -> Event:
    return Event(topic="aarm.test", workspace_id="ws-1", at=float(number), payload={"n": number, "text": "é"})


async def test_a_dead_sink_buffers_and_holds_nobody_up(ledger: SqliteLedger, scribe: Scribe) -> None:
    good, dead = Shelf("good"), Shelf("dead", alive=False)
    pump = OutboxPump(ledger, [good, dead], batch=3, idle=60.0, retry=0.001)
    async with running(pump):
        turns = [await scribe.allow() for _ in range(4)]
        pump.poke()
        await good.holds(8)
        await dead.tried(3)
        assert dead.got == []
        dead.alive = True
        await dead.holds(8)
    told = [event for turn in turns for event in turn.events]
    assert good.got == dead.got == told
    assert await ledger.prune_events(["good", "dead"]) in (6, 8)


async def test_what_everybody_has_is_pruned_without_being_asked(ledger: SqliteLedger, scribe: Scribe) -> None:
    sink = Shelf("log")
    async with running(OutboxPump(ledger, [sink], idle=0.001, prune=0.001)):
        await scribe.allow()
        await sink.holds(2)
        while await ledger.events("newcomer", 10):  # noqa: ASYNC110 - the pump signals nobody when it prunes
            await asyncio.sleep(0.001)


async def test_what_a_crash_left_undelivered_is_delivered_after_it(ledger: SqliteLedger, scribe: Scribe) -> None:
    await scribe.allow()
    sink = Shelf("log")
    assert await OutboxPump(ledger, [sink]).deliver(sink) == 2
    await scribe.allow()
    again = OutboxPump(ledger, [sink], batch=1)
    assert [await again.deliver(sink) for _ in range(3)] == [1, 1, 0]
    assert len(sink.got) == 4


async def test_a_failed_delivery_comes_again_whole(ledger: SqliteLedger, scribe: Scribe) -> None:
    await scribe.allow()
    sink = Shelf("log", alive=False)
    pump = OutboxPump(ledger, [sink])
    with pytest.raises(ConnectionError):
        await pump.deliver(sink)
    sink.alive = True
    assert await pump.deliver(sink) == 2


async def test_a_sink_gets_what_it_wants_and_nothing_waits_for_it(ledger: SqliteLedger, scribe: Scribe) -> None:
    turn = await scribe.allow()
    sink, deaf = Shelf("some", topics=frozenset({"aarm.decision"})), Shelf("deaf", topics=frozenset())
    pump = OutboxPump(ledger, [sink, deaf])
    assert [await pump.deliver(each) for each in (sink, deaf)] == [2, 2]
    assert (sink.got, deaf.tries) == ([turn.events[1]], 0)
    assert await ledger.prune_events(["some", "deaf"]) == 2


async def test_a_slices_news_goes_with_its_unit_of_work(database: SqliteDatabase, ledger: SqliteLedger) -> None:
    async with database.write() as session:
        await tell(session, [event(1), event(2)])
        await tell(session, [])
    with pytest.raises(RuntimeError):
        await _tell_and_fail(database)
    assert [queued.event for queued in await ledger.events("log", 10)] == [event(1), event(2)]


async def _tell_and_fail(database: SqliteDatabase) -> None:
    async with database.write() as session:
        await tell(session, [event(3)])
        raise RuntimeError
