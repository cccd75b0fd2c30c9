"""Wake-ups between parts of the server. A bus carries hints, never truth: whoever wakes reads the store.

Topics: `approvals:{workspace}`, `request:{workspace}:{request_id}`, `policies:{workspace}`, `decisions:{workspace}`,
`action:{workspace}:{action_id}`, `audit:{workspace}`, `policies` (of any workspace).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

Message = tuple[str, dict[str, Any]]
"""Topic and data."""

LAGGED = "lagged"
"""Topic of the marker that stands where a slow subscriber lost messages."""

QUEUE = 256


class Subscription(Protocol):
    async def get(self, timeout: float | None = None) -> Message | None:  # noqa: ASYNC109 - see LocalSubscription
        """The next message; None when `timeout` seconds pass without one."""


class Bus(Protocol):
    def publish(self, topic: str, data: dict[str, Any]) -> None:
        """Tell whoever listens now. Never waits, never fails."""

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[Subscription]:
        """Listen until the context ends."""


class LocalSubscription:
    """A bounded queue. When it overflows the oldest go, and a marker says so once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._lagged = False
        self._arrived = asyncio.Event()

    def put(self, message: Message) -> None:
        if len(self._messages) >= self._limit:
            self._messages.popleft()
            self._lagged = True
        self._messages.append(message)
        self._arrived.set()

    def lag(self) -> None:
        """Something may have been missed."""
        self._lagged = True
        self._arrived.set()

    async def get(self, timeout: float | None = None) -> Message | None:  # noqa: ASYNC109 - the port's own deadline
        if not self._messages and not self._lagged:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        if self._lagged:
            self._lagged = False
            return (LAGGED, {})
        return self._messages.popleft()


class LocalBus:
    """The bus of one process; call it on the event loop."""

    def __init__(self, queue: int = QUEUE) -> None:
        self._queue = queue
        self._listeners: dict[str, set[LocalSubscription]] = {}

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        for listener in self._listeners.get(topic, ()):
            listener.put((topic, data))

    def lag(self, topics: Iterable[str]) -> None:
        """Tell everybody who listens to these that something may have been missed."""
        for topic in topics:
            for listener in self._listeners.get(topic, ()):
                listener.lag()

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[LocalSubscription]:
        subscription = LocalSubscription(self._queue)
        for topic in topics:
            self._listeners.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                self._leave(topic, subscription)

    def _leave(self, topic: str, subscription: LocalSubscription) -> None:
        listeners = self._listeners[topic]
        listeners.discard(subscription)
        if not listeners:
            del self._listeners[topic]
