"""Puts in force here what another replica changed: at its wake-up, and without one within half a second."""

import asyncio

from mutx.resources.policies.engines import CHANGED, PolicyEngines
from mutx.storage.coordination import Bus

LOOK_SECONDS = 0.5


class PolicyWatch:
    """Runs while the server does."""

    def __init__(self, engines: PolicyEngines, bus: Bus, *, look: float = LOOK_SECONDS) -> None:
        """`look`: seconds between looks at the store when nobody says anything."""
        self._engines = engines
        self._bus = bus
        self._look = look
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until stopped. Raises Unavailable where the store does; run it again then."""
        async with self._bus.subscribe(CHANGED) as news:
            while not self._stopping.is_set():
                await self._engines.refresh()
                await news.get(self._look)

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()
        self._bus.publish(CHANGED, {})
