"""Whether this process can do its work: decide, sign and record."""

import asyncio
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import text

from mutx.contract.health import Component, Health, Readiness
from mutx.kit.clock import to_datetime
from mutx.kit.errors import MutxError, Unavailable
from mutx.resources.health.counts import count, oldest_waiting
from mutx.resources.health.vitals import Fleet, Vitals
from mutx.web.services import Services

HEALTHY, UNHEALTHY, DEGRADED = "healthy", "unhealthy", "degraded"
NEEDED = ("database", "signer")
"""Without these no decision can be recorded; the other parts may be ill while decisions are made."""

FAILURES = 3
"""Failed runs in a row that make a background job ill."""
BEHIND_SECONDS = 300.0
"""How old an event may become before some sink takes it."""
FREE_BYTES = 256 * 1024 * 1024

FRESH_SECONDS = 2.0
"""Probes are public, and a write probe takes the writer's turn: one per so many seconds is enough."""


class HealthChecks:
    """Probes the parts, and remembers the answer for a moment."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._started_at = services.clock.now()
        self.vitals = Vitals()
        self._probed_at = float("-inf")
        self._components: Mapping[str, Component] = {}
        self._probing = asyncio.Lock()

    async def health(self) -> Health:
        components = await self._probe()
        faults = [component.reason for component in components.values() if component.status != HEALTHY]
        now = self._services.clock.now()
        return Health(
            status=DEGRADED if faults else HEALTHY,
            timestamp=to_datetime(now),
            version=version("mutx"),
            uptime_seconds=now - self._started_at,
            database=components["database"].status,
            error=faults[0] if faults else None,
            components=dict(components),
        )

    async def ready(self) -> Readiness:
        """Raises Unavailable, with what is missing, while no decision could be recorded."""
        components = dict(await self._probe())
        if faults := [components[name].reason for name in NEEDED if components[name].status != HEALTHY]:
            details = {name: component.model_dump() for name, component in components.items()}
            raise Unavailable("; ".join(faults), details={"components": details})
        return Readiness(status="ready", timestamp=to_datetime(self._services.clock.now()), components=components)

    async def fleet(self) -> Fleet:
        return await count(self._services.database, self.vitals.sinks)

    async def _probe(self) -> Mapping[str, Component]:
        async with self._probing:
            if self._services.clock.now() - self._probed_at >= FRESH_SECONDS:
                self._components = await self._look()
                self._probed_at = self._services.clock.now()
            return self._components

    async def _look(self) -> Mapping[str, Component]:
        found = {"database": await self._database(), "signer": self._signer()}
        if self.vitals.home is not None:
            found["disk"] = _disk(self.vitals.home)
            found["monitor"] = _monitor(self.vitals.failures())
        if self.vitals.sinks and found["database"].status == HEALTHY:
            found["queue"] = await self._queue()
        return found

    async def _queue(self) -> Component:
        oldest = await oldest_waiting(self._services.database, self.vitals.sinks)
        behind = 0.0 if oldest is None else self._services.clock.now() - oldest
        if behind > BEHIND_SECONDS:
            reason = f"events wait for {behind:.0f} s; the log names the sink that does not take them"
            return Component(status=UNHEALTHY, reason=reason)
        return Component(status=HEALTHY)

    async def _database(self) -> Component:
        """A unit of work takes its turn in the writer's queue: it shows that the ledger's writer lives as well."""
        try:
            async with self._services.database.write() as session:
                await session.execute(text("SELECT 1"))
        except MutxError as error:
            return Component(status=UNHEALTHY, reason=str(error))
        return Component(status=HEALTHY)

    def _signer(self) -> Component:
        try:
            signed = len(self._services.signer.sign(b"mutx health probe")) == 64
        except MutxError as error:
            return Component(status=UNHEALTHY, reason=str(error))
        return Component(status=HEALTHY) if signed else Component(status=UNHEALTHY, reason="the signer does not sign")


def _disk(home: Path) -> Component:
    free = shutil.disk_usage(home).free
    if free < FREE_BYTES:
        reason = f"only {free // 2**20} MiB are free on the disk of the home directory; make room before it is full"
        return Component(status=UNHEALTHY, reason=reason)
    return Component(status=HEALTHY)


def _monitor(failures: Mapping[str, int]) -> Component:
    ill = [f"{name} ({times} times)" for name, times in failures.items() if times >= FAILURES]
    if ill:
        reason = f"background jobs fail again and again: {', '.join(ill)}; the log says why"
        return Component(status=UNHEALTHY, reason=reason)
    return Component(status=HEALTHY)
