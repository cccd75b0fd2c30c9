"""Every rate limiter of the edge, and what several replicas do together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from mutx.kit.clock import Clock, SystemClock
from mutx.storage.redis_link import connect
from mutx.storage.redis_throttle import EdgeCounters
from mutx.storage.throttle import MAX_KEYS, Allowance, Limit, RateLimiter, Throttle
from tests.redis_server import RedisServer, until

Make = Callable[[Limit], RateLimiter]

LONG = 100_000.0
"""Seconds of a window in which nothing comes back while a test runs."""


class Replica:
    def __init__(self, counters: EdgeCounters, registry: CollectorRegistry) -> None:
        self.counters = counters
        self._registry = registry
        self._clock: Clock = SystemClock()

    def limiter(self, limit: Limit) -> RateLimiter:
        return self.counters.limiters({"general": limit}, self._clock)["general"]

    @property
    def shared(self) -> bool:
        return self._registry.get_sample_value("mutx_edge_limits_shared") == 1.0


@asynccontextmanager
async def replica(server: RedisServer, sync: float = 0.01) -> AsyncIterator[Replica]:
    client, registry = connect(server.url), CollectorRegistry()
    counters = EdgeCounters(client, registry, sync=sync)
    task = asyncio.create_task(counters.run())
    try:
        yield Replica(counters, registry)
    finally:
        counters.stop()
        await task
        await client.aclose()


@pytest.fixture(params=["process", "redis"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    if request.param == "process":
        yield lambda limit: Throttle(limit, SystemClock())
        return
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(replica(request.getfixturevalue("redis_server")))
        await until(lambda: one.shared)
        yield one.limiter


async def test_a_key_gets_its_limit_and_no_more(make: Make) -> None:
    limiter = make(Limit(3, LONG))
    waits = []
    for _ in range(5):
        waits.append(limiter.take("ana"))
        await asyncio.sleep(0.02)
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert all(LONG / 3 - 60 < wait <= LONG / 3 + 60 for wait in waits[3:])
    assert limiter.take("bob") == 0.0
    assert limiter.allowance("ana").remaining == 0
    assert limiter.allowance("bob").remaining == 2
    assert limiter.allowance("nobody") == Allowance(3, 0)


async def test_admission_is_exact(make: Make) -> None:
    limiter = make(Limit(3, LONG))
    waits = await asyncio.gather(*(limiter.admit("ana") for _ in range(5)))
    assert sorted(wait == 0.0 for wait in waits) == [False, False, True, True, True]
    assert limiter.allowance("ana").remaining == 0


async def test_what_is_given_back_may_be_taken_again(make: Make) -> None:
    limiter = make(Limit(1, LONG))
    for _ in range(4):
        assert limiter.take("ana") == 0.0
        await asyncio.sleep(0.02)
        limiter.give_back("ana")
        await asyncio.sleep(0.02)
    assert limiter.allowance("ana").remaining == 1
    limiter.give_back("nobody")
    assert limiter.allowance("nobody").remaining == 1


async def test_an_allowance_comes_back(make: Make) -> None:
    limiter = make(Limit(1, 0.05))
    assert limiter.take("ana") == 0.0
    await asyncio.sleep(0.2)
    assert limiter.take("ana") == 0.0


async def test_strangers_cannot_fill_the_memory(make: Make) -> None:
    limiter = make(Limit(1, LONG))
    assert [limiter.take(f"stranger-{n}") for n in range(MAX_KEYS + 10)].count(0.0) == MAX_KEYS + 10
    assert limiter.take(f"stranger-{MAX_KEYS + 9}") > 0


async def test_replicas_count_together(redis_server: RedisServer) -> None:
    async with replica(redis_server) as near, replica(redis_server) as far:
        await until(lambda: near.shared and far.shared)
        here, there = near.limiter(Limit(6, LONG)), far.limiter(Limit(6, LONG))
        passed = 0
        for _ in range(6):
            passed += (here.take("ana") == 0.0) + (there.take("ana") == 0.0)
            await asyncio.sleep(0.1)
        # they know of each other's charges only a moment later, so at most one request too many passes, and is owed
        assert 6 <= passed <= 7
        assert [await here.admit("bob") for _ in range(3)] == [0.0, 0.0, 0.0]
        assert [wait == 0.0 for wait in [await there.admit("bob") for _ in range(4)]] == [True, True, True, False]


async def test_without_redis_each_replica_limits_by_itself_and_owes_what_it_let_through(
    redis_server: RedisServer,
) -> None:
    async with replica(redis_server) as near, replica(redis_server) as far:
        await until(lambda: near.shared and far.shared)
        here, there = near.limiter(Limit(4, LONG)), far.limiter(Limit(4, LONG))
        redis_server.kill()
        assert await here.admit("ana") == 0.0  # found out on the way, and answered all the same
        assert not near.shared
        assert here.take("ana") == 0.0
        assert [there.take("ana") for _ in range(2)] == [0.0, 0.0]
        await until(lambda: not far.shared)
        assert await there.admit("bob") == 0.0
        redis_server.start()
        await until(lambda: near.shared and far.shared)
        assert await here.admit("ana") > 0  # two here and two there
        assert await here.admit("bob") == 0.0


async def test_a_redis_that_hangs_keeps_nobody_waiting_for_long(redis_server: RedisServer) -> None:
    async with replica(redis_server) as near:
        await until(lambda: near.shared)
        limiter = near.limiter(Limit(4, LONG))
        redis_server.freeze()
        assert await limiter.admit("ana") == 0.0
        assert not near.shared
        redis_server.thaw()
        await until(lambda: near.shared)
