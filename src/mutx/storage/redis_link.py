"""The connection to Redis: what may be lost there costs latency or sharpness, never truth.

Redis carries wake-ups (`redis_bus`) and the edge's counters (`redis_throttle`). Neither waits long for it, and both go on
without it.
"""

import logging
from collections.abc import Awaitable, Callable

from prometheus_client import Gauge
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from mutx.kit.errors import SetupError

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 0.5
"""A Redis that takes longer to answer counts as gone."""
RETRY_SECONDS = 0.1
MAX_RETRY_SECONDS = 2.0

GONE = (RedisError, OSError, TimeoutError)
"""What a lost connection looks like."""

Sleep = Callable[[float], Awaitable[None]]


def connect(url: str) -> "Redis":
    """A client that has not connected yet. Raises SetupError for a URL that is none of Redis's."""
    try:
        return Redis.from_url(
            url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        # the URL may hold a password
        raise SetupError("REDIS_URL must be redis://, rediss:// or unix:// and an address") from error


class LinkState:
    """Whether one use of Redis has it now: a gauge, and a line in the log when it changes."""

    def __init__(self, use: str, without: str, gauge: Gauge) -> None:
        """`use`: what needs it; `without`: how that goes on alone."""
        self._use = use
        self._without = without
        self._gauge = gauge
        self._told: bool | None = None
        gauge.set(0)

    @property
    def up(self) -> bool:
        return bool(self._told)

    def set(self, up: bool) -> None:
        if up == self._told:
            return
        self._told = up
        self._gauge.set(up)
        if up:
            logger.info("Redis carries %s", self._use)
        else:
            logger.warning("Redis does not answer: %s until it returns", self._without)
