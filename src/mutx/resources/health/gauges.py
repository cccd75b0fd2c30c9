"""Gauges that are read from the database when somebody scrapes."""

from prometheus_client import CollectorRegistry, Gauge


class FleetGauges:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Gauge("mutx_agents_total", "Total number of agents", registry=registry)
        self._active = Gauge("mutx_agents_active", "Number of active agents", registry=registry)

    def set(self, total: int, active: int) -> None:
        self._total.set(total)
        self._active.set(active)
