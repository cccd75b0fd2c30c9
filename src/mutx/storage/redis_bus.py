"""Wake-ups across replicas, on Redis's publish and subscribe.

Listeners of this process hear at once and without Redis; others hear through it. While Redis is gone hints are lost, so
every listener is told again and again, at most `MAX_RETRY_SECONDS` apart, that it lagged and has to read the store.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from mutx.kit.ids import new_id
from mutx.storage.coordination import LocalBus, LocalSubscription
from mutx.storage.outbox import rest
from mutx.storage.redis_link import ANSWER_SECONDS, GONE, MAX_RETRY_SECONDS, RETRY_SECONDS, LinkState

logger = logging.getLogger(__name__)

CHANNEL = "mutx:bus:"
HEARTBEAT = CHANNEL + "heartbeat"
"""Always listened to, so that the connection has something to say."""
BEAT_SECONDS = 1.0
QUIET_SECONDS = 3.0
"""A connection that was silent for so long is dead."""
OUTGOING = 10_000


class _Heard(msgspec.Struct, frozen=True, array_like=True):
    """What travels: who sent it, and the data of one or more hints of one topic."""

    origin: str
    hints: list[dict[str, Any]]


class RedisBus:
    """`Bus` for many replicas. Start it; until Redis answers it is the bus of one process."""

    def __init__(self, client: Redis, registry: CollectorRegistry, *, local: LocalBus | None = None) -> None:
        self._client = client
        self._local = local or LocalBus()
        self._origin = new_id()
        self._outgoing: deque[tuple[str, dict[str, Any]]] = deque(maxlen=OUTGOING)
        self._wanted: Counter[str] = Counter()
        self._sent: set[str] = set()
        self._confirmed: dict[str, asyncio.Event] = {}
        self._work = asyncio.Event()
        self._stopping = asyncio.Event()
        self._decode = msgspec.json.Decoder(_Heard)
        gauge = Gauge("mutx_bus_connected", "1 while wake-ups reach the other replicas", registry=registry)
        self._state = LinkState("wake-ups", "other replicas are found by looking again", gauge)

    # -- the port -----------------------------------------------------------------------------------------------

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        self._local.publish(topic, data)
        self._outgoing.append((topic, data))
        self._work.set()

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[LocalSubscription]:
        """Returns once other replicas are heard, so that what is read afterwards misses nothing; without Redis, at once."""
        async with self._local.subscribe(*topics) as subscription:
            for topic in topics:
                self._wanted[topic] += 1
                self._confirmed.setdefault(topic, asyncio.Event())
            self._work.set()
            try:
                await self._heard(topics)
                yield subscription
            finally:
                for topic in topics:
                    self._part(topic)
                self._work.set()

    # -- its life -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the connection until stopped."""
        wait = RETRY_SECONDS
        while not self._stopping.is_set():
            try:
                await self._converse()
            except* GONE:
                wait = RETRY_SECONDS if self._state.up else min(2 * wait, MAX_RETRY_SECONDS)
                self._state.set(False)
                self._local.lag(tuple(self._wanted))
            self._sent.clear()
            for confirmed in self._confirmed.values():
                confirmed.clear()
            await rest(self._stopping, wait)

    def stop(self) -> None:
        self._stopping.set()
        self._work.set()

    async def _converse(self) -> None:
        async with self._client.pubsub() as pubsub:
            await pubsub.subscribe(HEARTBEAT)
            again = self._state.up is False and bool(self._confirmed)
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._listen(pubsub))
                listening.add_done_callback(lambda _: self._work.set())
                await self._speak(pubsub, listening, again=again)
                listening.cancel()

    async def _speak(self, pubsub: PubSub, listening: asyncio.Task[None], *, again: bool) -> None:
        """Send what is to be sent until stopped. `again`: listeners were there before this connection.

        Looks at `listening` itself: the client may swallow the cancellation that its failure sends (`wait_for` of
        Python 3.11 does when its own work ends in the same moment), and would then speak to a dead connection for ever.
        """
        beat = 0.0
        loop = asyncio.get_running_loop()
        while not (self._stopping.is_set() or listening.done()):
            self._work.clear()
            await self._follow(pubsub)
            await self._flush()
            if not self._state.up:
                self._state.set(True)
            if again:
                await self._heard(tuple(self._wanted))
                self._local.lag(tuple(self._wanted))
                again = False
            if loop.time() >= beat:
                beat = loop.time() + BEAT_SECONDS
                await pubsub.ping()
            await rest(self._work, max(beat - loop.time(), 0.0))
        if not listening.done():
            await self._flush()

    async def _follow(self, pubsub: PubSub) -> None:
        """Let Redis's list of topics be ours."""
        wanted = set(self._wanted)
        more, less, self._sent = wanted - self._sent, self._sent - wanted, wanted
        for topic in less:
            self._confirmed.pop(topic, None)
        if more:
            await pubsub.subscribe(*(CHANNEL + topic for topic in more))
        if less:
            await pubsub.unsubscribe(*(CHANNEL + topic for topic in less))

    async def _flush(self) -> None:
        """Send what was published, the hints of one topic together."""
        while self._outgoing:
            batch, by_topic = list(self._outgoing), dict[str, list[dict[str, Any]]]()
            self._outgoing.clear()
            for topic, data in batch:
                by_topic.setdefault(topic, []).append(data)
            pipeline = self._client.pipeline(transaction=False)
            for topic, hints in by_topic.items():
                pipeline.publish(CHANNEL + topic, msgspec.json.encode(_Heard(self._origin, hints)))
            try:
                await pipeline.execute()
            except (*GONE, asyncio.CancelledError):
                self._outgoing.extendleft(reversed(batch))
                raise

    async def _listen(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=QUIET_SECONDS)
            if message is None:
                raise TimeoutError("Redis was silent for too long")
            topic = _topic_of(message)
            if message["type"] == "subscribe" and topic in self._confirmed:
                self._confirmed[topic].set()
            elif message["type"] == "message":
                self._deliver(topic, message["data"])

    def _deliver(self, topic: str, data: bytes) -> None:
        try:
            heard = self._decode.decode(data)
        except msgspec.DecodeError:
            logger.warning("somebody else publishes on %s%s", CHANNEL, topic)
            return
        if heard.origin != self._origin:
            for hint in heard.hints:
                self._local.publish(topic, hint)

    async def _heard(self, topics: tuple[str, ...]) -> None:
        """Wait until Redis has confirmed all of them, if it is there."""
        if not self._state.up:
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                for topic in topics:
                    if (confirmed := self._confirmed.get(topic)) is not None:
                        await confirmed.wait()
        except TimeoutError:
            return

    def _part(self, topic: str) -> None:
        self._wanted[topic] -= 1
        if self._wanted[topic] <= 0:
            del self._wanted[topic]


def _topic_of(message: dict[str, Any]) -> str:
    channel = message.get("channel") or b""
    name = channel.decode() if isinstance(channel, bytes) else str(channel)
    return name.removeprefix(CHANNEL)
