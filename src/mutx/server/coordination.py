"""What replicas share beside the database: wake-ups and the edge's counters, through Redis where there is one."""

from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry

from mutx.kit.clock import Clock
from mutx.kit.errors import SetupError
from mutx.server.edge import Limiters, limits_of, local_limiters
from mutx.server.settings import Settings
from mutx.server.workers import Periodic
from mutx.storage.coordination import Bus, LocalBus

AGAIN_SECONDS = 1.0
"""Until a task that ended, which it never should, is started again."""


@dataclass(frozen=True, kw_only=True)
class Coordination:
    bus: Bus
    limiters: Limiters
    tasks: tuple[Periodic, ...] = ()
    redis: Any = None
    """The client, if there is one."""
    runners: tuple[Any, ...] = ()

    def stopping(self) -> None:
        """Let the tasks end after what is under way."""
        for runner in self.runners:
            runner.stop()

    async def close(self) -> None:
        if self.redis is not None:
            await self.redis.aclose()


def open_coordination(settings: Settings, clock: Clock, registry: CollectorRegistry) -> Coordination:
    """Raises SetupError for a REDIS_URL that is none, or without the extra `redis`."""
    if not settings.redis_url:
        return Coordination(bus=LocalBus(), limiters=local_limiters(settings, clock))
    try:
        from mutx.storage.redis_bus import RedisBus
        from mutx.storage.redis_link import connect
        from mutx.storage.redis_throttle import EdgeCounters
    except ImportError as error:
        raise SetupError("REDIS_URL needs the extra `redis`: pip install 'mutx[redis]'") from error
    client = connect(settings.redis_url)
    bus, counters = RedisBus(client, registry), EdgeCounters(client, registry)
    return Coordination(
        bus=bus,
        limiters=counters.limiters(limits_of(settings), clock),
        tasks=(Periodic("bus", bus.run, AGAIN_SECONDS), Periodic("edge-limits", counters.run, AGAIN_SECONDS)),
        redis=client,
        runners=(bus, counters),
    )
