"""A change reaches the other replicas: at its wake-up, and without one at the next look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from mutx.kit.errors import Unavailable
from mutx.resources.policies.engines import PolicyEngines
from mutx.resources.policies.watch import PolicyWatch
from mutx.storage.coordination import Bus, LocalBus
from mutx.storage.redis_bus import RedisBus
from mutx.storage.redis_link import connect
from mutx.storage.sqlite_database import SqliteDatabase
from tests.redis_server import RedisServer, until
from tests.resources.governed import POLICY, Governed

DENYING = POLICY.replace('tool: "read_*"}, effect: allow', 'tool: "read_*"}, effect: deny')
NEVER = 3600.0


@asynccontextmanager
async def watching(plane: Governed, bus: Bus, look: float) -> AsyncIterator[PolicyEngines]:
    """The engines of another replica on the same store."""
    engines = PolicyEngines(plane.services.database, bus)
    watch = PolicyWatch(engines, bus, look=look)
    task = asyncio.create_task(watch.run())
    try:
        yield engines
    finally:
        watch.stop()
        await task


def _version(engines: PolicyEngines, workspace_id: str) -> str:
    engine = engines.current(workspace_id)
    assert engine is not None
    return engine.version


async def test_without_wake_ups_a_look_finds_it(plane: Governed) -> None:
    ana = await plane.person()
    async with watching(plane, LocalBus(), 0.01) as elsewhere:
        await elsewhere.load(ana.workspace_id)
        for document in (POLICY, DENYING):
            await ana.apply(document)
            await until(lambda: _version(elsewhere, ana.workspace_id) == _version(plane.engines, ana.workspace_id))


async def test_a_wake_up_through_redis_brings_it_at_once(plane: Governed, redis_server: RedisServer) -> None:
    ana = await plane.person()
    client = connect(redis_server.url)
    here, there = (RedisBus(client, CollectorRegistry()) for _ in range(2))
    running = [asyncio.create_task(bus.run()) for bus in (here, there)]
    try:
        async with watching(plane, there, NEVER) as elsewhere:
            await elsewhere.load(ana.workspace_id)
            changed = PolicyEngines(plane.services.database, here)
            await ana.apply()
            engine = await changed.load(ana.workspace_id)
            await until(lambda: elsewhere.current(ana.workspace_id).version == engine.version)
    finally:
        for bus in (here, there):
            bus.stop()
        await asyncio.gather(*running)
        await client.aclose()


async def test_a_store_that_cannot_answer_ends_the_watch_for_the_worker_to_begin_again(plane: Governed) -> None:
    ana = await plane.person()
    engines = PolicyEngines(plane.services.database, LocalBus())
    await engines.load(ana.workspace_id)
    database = plane.services.database
    if not isinstance(database, SqliteDatabase):
        pytest.skip("a file is easily spoilt; a PostgreSQL that goes away is in tests/storage/test_pg_database.py")
    await database.stop()
    database.path.write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable):
        await PolicyWatch(engines, LocalBus()).run()
