"""Every bus: wakes whoever listens, waits for nobody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from mutx.storage.coordination import LAGGED, Bus, LocalBus, Message, Subscription
from mutx.storage.redis_bus import RedisBus
from mutx.storage.redis_link import connect
from tests.redis_server import RedisServer, until

Replica = Callable[[], Awaitable[Bus]]


class Running:
    """A bus of one replica, and whether its wake-ups reach the others."""

    def __init__(self, bus: RedisBus, registry: CollectorRegistry) -> None:
        self.bus = bus
        self._registry = registry

    @property
    def connected(self) -> bool:
        return self._registry.get_sample_value("mutx_bus_connected") == 1.0


@asynccontextmanager
async def replica(server: RedisServer, queue: int = 256) -> AsyncIterator[Running]:
    client, registry = connect(server.url), CollectorRegistry()
    bus = RedisBus(client, registry, local=LocalBus(queue))
    task = asyncio.create_task(bus.run())
    try:
        yield Running(bus, registry)
    finally:
        bus.stop()
        await task
        await client.aclose()


@pytest.fixture(params=["local", "redis"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[int], Awaitable[Bus]]]:
    async with AsyncExitStack() as stack:

        async def local(queue: int) -> Bus:
            return LocalBus(queue)

        async def shared(queue: int) -> Bus:
            running = await stack.enter_async_context(replica(request.getfixturevalue("redis_server"), queue))
            await until(lambda: running.connected)
            return running.bus

        yield local if request.param == "local" else shared


async def test_listeners_hear_their_topics_in_order(make: Callable[[int], Awaitable[Bus]]) -> None:
    bus = await make(256)
    bus.publish("decisions:ws", {"n": 0})
    async with bus.subscribe("decisions:ws", "approvals:ws") as both, bus.subscribe("approvals:ws") as one:
        bus.publish("decisions:ws", {"n": 1})
        bus.publish("approvals:ws", {"n": 2})
        bus.publish("approvals:other", {"n": 3})
        assert [await both.get(0), await both.get(0), await both.get(0.05)] == [
            ("decisions:ws", {"n": 1}),
            ("approvals:ws", {"n": 2}),
            None,
        ]
        assert await one.get() == ("approvals:ws", {"n": 2})
    bus.publish("decisions:ws", {"n": 4})
    assert await both.get(0.05) is None


async def test_a_slow_listener_loses_the_oldest_and_is_told_once(make: Callable[[int], Awaitable[Bus]]) -> None:
    bus = await make(2)
    async with bus.subscribe("t") as slow:
        for number in range(5):
            bus.publish("t", {"n": number})
        heard = [await slow.get(0.05) for _ in range(4)]
    assert heard == [(LAGGED, {}), ("t", {"n": 3}), ("t", {"n": 4}), None]


async def test_a_topic_may_be_left_and_joined_again(make: Callable[[int], Awaitable[Bus]]) -> None:
    bus = await make(8)
    for number in range(3):
        async with bus.subscribe("t") as listening:
            bus.publish("t", {"n": number})
            assert await listening.get(5) == ("t", {"n": number})


async def test_replicas_hear_each_other(redis_server: RedisServer) -> None:
    async with replica(redis_server) as near, replica(redis_server) as far:
        await until(lambda: near.connected and far.connected)
        async with far.bus.subscribe("a", "b") as listening:
            near.bus.publish("a", {"n": 1})
            near.bus.publish("c", {"n": 2})
            near.bus.publish("b", {"n": 3})
            assert [await listening.get(5), await listening.get(5)] == [("a", {"n": 1}), ("b", {"n": 3})]
            assert await listening.get(0.05) is None


async def told(listening: Subscription) -> Message:
    """The next thing that is no mere reminder to look."""
    while True:
        heard = await listening.get(10)
        assert heard is not None
        if heard[0] != LAGGED:
            return heard


async def test_in_an_outage_and_after_it_listeners_look_again(redis_server: RedisServer) -> None:
    async with replica(redis_server) as near, replica(redis_server) as far:
        await until(lambda: near.connected and far.connected)
        async with far.bus.subscribe("t") as listening:
            redis_server.kill()
            assert await listening.get(10) == (LAGGED, {})
            await until(lambda: not near.connected and not far.connected)
            assert await listening.get(10) == (LAGGED, {})  # and again, as long as it lasts
            far.bus.publish("t", {"n": "in this process"})
            assert await told(listening) == ("t", {"n": "in this process"})
            near.bus.publish("t", {"n": "kept until it can be told"})
            async with far.bus.subscribe("u"):  # who comes meanwhile waits for nothing
                redis_server.start()
                await until(lambda: far.connected)
                assert await listening.get(10) == (LAGGED, {})
            await until(lambda: near.connected)
            near.bus.publish("t", {"n": "again"})
            heard = [await told(listening)]
            if heard[-1][1]["n"] != "again":  # the kept one arrives if this side was back in time
                heard.append(await told(listening))
            assert heard[-1] == ("t", {"n": "again"})


async def test_a_redis_that_hangs_is_found_out(redis_server: RedisServer) -> None:
    async with replica(redis_server) as near:
        await until(lambda: near.connected)
        redis_server.freeze()
        await until(lambda: not near.connected)
        redis_server.thaw()
        await until(lambda: near.connected)


async def test_what_others_say_on_the_channel_is_not_taken(redis_server: RedisServer) -> None:
    async with replica(redis_server) as near, replica(redis_server) as far:
        await until(lambda: near.connected and far.connected)
        async with far.bus.subscribe("t") as listening:
            client = connect(redis_server.url)
            await client.publish("mutx:bus:t", b"{")
            await client.publish("mutx:bus:t", b'["who", "what"]')
            await client.aclose()
            near.bus.publish("t", {"n": 1})
            assert await listening.get(5) == ("t", {"n": 1})
