"""Limits that all replicas count together, without a round trip per request.

Each replica decides by what it knows and writes down what it charged. Every `SYNC_SECONDS` one script per limiter adds
the charges to the keys in Redis and brings back what the key owes over all replicas. So in the long run a key gets
exactly its limit, and at most what the other replicas let through in one interval beyond it for a moment, which it pays
back. `admit` asks Redis at once and is exact. While Redis is gone each replica limits by itself.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis

from mutx.kit.clock import Clock
from mutx.storage.outbox import rest
from mutx.storage.redis_link import GONE, MAX_RETRY_SECONDS, LinkState
from mutx.storage.throttle import EPSILON, MAX_KEYS, Allowance, Limit, Throttle

SYNC_SECONDS = 0.1
ASK_SECONDS = 1.0
"""How often Redis is asked whether it is there when there is nothing else to ask."""
BATCH = 500
"""Keys in one run of the script, which holds Redis up for their time."""

CHARGE = """
local parts = redis.call('TIME')
local now = parts[1] + parts[2] / 1000000
local tolerance, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local answers = {}
for i = 1, #KEYS do
  local whole = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now)
  if tolerance >= 0 and whole - now > tolerance then
    answers[i] = {'0', string.format('%.6f', whole - now)}
  else
    whole = math.min(math.max(whole + tonumber(ARGV[2 + i]), now), now + most)
    redis.call('SET', KEYS[i], string.format('%.6f', whole), 'PX', math.ceil((whole - now) * 1000) + 1)
    answers[i] = {'1', string.format('%.6f', whole - now)}
  end
end
return answers
"""
"""Keys: when each is whole, by Redis's clock. Arguments: the debt above which nothing is charged (negative: charge anyway),
the largest debt that is kept, then each key's charge; all in seconds. Answers: charged or not, and the debt."""

ANYWAY = -1.0


class SharedThrottle:
    """`RateLimiter` over Redis; brought up to date by `EdgeCounters`."""

    def __init__(self, name: str, limit: Limit, clock: Clock, counters: "EdgeCounters") -> None:
        self.name = name
        self.limit = limit
        self._counters = counters
        self._local = Throttle(limit, clock)
        self._pending: dict[str, int] = {}

    def take(self, key: str) -> float:
        wait = self._local.take(key)
        if wait == 0.0:
            self._note(key, 1)
        return wait

    async def admit(self, key: str) -> float:
        if not self._counters.up:
            return self.take(key)
        try:
            charged, debt = (await self._counters.charge(self, {key: self.limit.spacing}, self._tolerance))[0]
        except GONE:
            self._counters.lost()
            return self.take(key)
        self._local.owe(key, debt)
        return 0.0 if charged else max(debt - self._tolerance, EPSILON)

    def give_back(self, key: str) -> None:
        self._local.give_back(key)
        self._note(key, -1)

    def allowance(self, key: str) -> Allowance:
        return self._local.allowance(key)

    async def sync(self) -> None:
        """Bring the charges to Redis and the debts back. Raises what a lost connection raises; then they wait here."""
        keys = list(self._pending)
        for start in range(0, len(keys), BATCH):
            await self._exchange({key: self._pending.pop(key) for key in keys[start : start + BATCH]})

    async def _exchange(self, counts: Mapping[str, int]) -> None:
        spacing = self.limit.spacing
        # after an outage: no more than what is still owed
        costs = {key: min(n * spacing, self._local.debt(key)) for key, n in counts.items()}
        try:
            answers = await self._counters.charge(self, costs, ANYWAY)
        except (*GONE, asyncio.CancelledError):
            for key, count in counts.items():
                self._note(key, count)
            raise
        for key, (_, debt) in zip(counts, answers, strict=True):
            self._local.owe(key, debt + self._pending.get(key, 0) * spacing)

    def _note(self, key: str, count: int) -> None:
        if len(self._pending) >= MAX_KEYS:
            self._pending.clear()  # Redis is gone and strangers are many: this replica's own limits hold
        self._pending[key] = self._pending.get(key, 0) + count

    @property
    def _tolerance(self) -> float:
        return self.limit.seconds - self.limit.spacing


class EdgeCounters:
    """The limiters of one replica and the task that keeps them in step with the others'."""

    def __init__(self, client: Redis, registry: CollectorRegistry, *, sync: float = SYNC_SECONDS) -> None:
        """`sync`: seconds between exchanges."""
        self._client = client
        self._charge = client.register_script(CHARGE)
        self._sync_seconds = sync
        self._limiters: list[SharedThrottle] = []
        self._stopping = asyncio.Event()
        self._ask_at = 0.0
        gauge = Gauge(
            "mutx_edge_limits_shared",
            "1 while the edge's limits are counted over all replicas, 0 while each replica counts for itself",
            registry=registry,
        )
        self._state = LinkState("the edge's limits", "each replica limits by itself", gauge)

    @property
    def up(self) -> bool:
        return self._state.up

    def limiters(self, limits: Mapping[str, Limit], clock: Clock) -> dict[str, SharedThrottle]:
        made = {name: SharedThrottle(name, limit, clock, self) for name, limit in limits.items()}
        self._limiters += made.values()
        return made

    async def run(self) -> None:
        """Exchange until stopped."""
        while not self._stopping.is_set():
            await rest(self._stopping, self._sync_seconds if await self._exchange() else MAX_RETRY_SECONDS / 4)
        await self._exchange()

    def stop(self) -> None:
        self._stopping.set()

    def lost(self) -> None:
        """Redis did not answer."""
        self._state.set(False)

    async def charge(
        self, limiter: SharedThrottle, costs: Mapping[str, float], tolerance: float
    ) -> Sequence[tuple[bool, float]]:
        """Per key: whether it was charged, and its debt in seconds. Raises what a lost connection raises."""
        # the braces keep one limiter's keys in one slot of a cluster
        keys = [f"mutx:rate:{{{limiter.name}}}:{key}" for key in costs]
        most = 2 * limiter.limit.seconds
        answers: list[list[Any]] = await self._charge(keys=keys, args=[tolerance, most, *costs.values()])
        return [(answer[0] == b"1", float(answer[1])) for answer in answers]

    async def _exchange(self) -> bool:
        try:
            now = asyncio.get_running_loop().time()
            if not self._state.up or now >= self._ask_at:
                self._ask_at = now + ASK_SECONDS
                await self._client.ping()
            for limiter in self._limiters:
                await limiter.sync()
        except GONE:
            self.lost()
            return False
        self._state.set(True)
        return True
