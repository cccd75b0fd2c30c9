"""Whether this process can do its work: decide, sign and record."""

import asyncio
from collections.abc import Mapping
from importlib.metadata import version

from sqlalchemy import func, select, text

from mutx.contract.agents import AgentStatus
from mutx.contract.health import Component, Health, Readiness
from mutx.kit.clock import to_datetime
from mutx.kit.errors import MutxError, Unavailable
from mutx.resources.agents.models import AgentRow
from mutx.web.services import Services

HEALTHY, UNHEALTHY, DEGRADED = "healthy", "unhealthy", "degraded"

FRESH_SECONDS = 2.0
"""Probes are public, and a write probe takes the writer's turn: one per so many seconds is enough."""


class HealthChecks:
    """Probes the parts, and remembers the answer for a moment."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._started_at = services.clock.now()
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
        if faults := [c.reason for c in components.values() if c.status != HEALTHY]:
            details = {name: component.model_dump() for name, component in components.items()}
            raise Unavailable("; ".join(faults), details={"components": details})
        return Readiness(status="ready", timestamp=to_datetime(self._services.clock.now()), components=components)

    async def agents(self) -> tuple[int, int]:
        """How many agents there are, and how many of them say they run."""
        running = func.count().filter(AgentRow.status == AgentStatus.RUNNING)
        async with self._services.database.read() as session:
            total, active = (await session.execute(select(func.count(), running).select_from(AgentRow))).one()
        return total, active

    async def _probe(self) -> Mapping[str, Component]:
        async with self._probing:
            if self._services.clock.now() - self._probed_at >= FRESH_SECONDS:
                self._components = {"database": await self._database(), "signer": self._signer()}
                self._probed_at = self._services.clock.now()
            return self._components

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
