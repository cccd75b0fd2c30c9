"""Gauges that are read when somebody scrapes: from the database, and from what runs beside requests."""

from prometheus_client import CollectorRegistry, Gauge

from mutx.contract.supervision import SupervisionState
from mutx.resources.health.vitals import Fleet, Vitals


class FleetGauges:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Gauge("mutx_agents_total", "Total number of agents", registry=registry)
        self._active = Gauge("mutx_agents_active", "Number of active agents", registry=registry)
        self._queue = Gauge("mutx_queue_size", "Current size of agent task queue", registry=registry)
        self._deployed = Gauge("mutx_deployments_total", "Total number of deployments", registry=registry)
        self._running = Gauge("mutx_deployments_running", "Number of running deployments", registry=registry)
        self._states = Gauge("mutx_deployments_by_status", "Deployments by status", ["status"], registry=registry)
        self._monitor = Gauge(
            "mutx_background_monitor_consecutive_failures",
            "Failures in a row of the background job that fails most",
            registry=registry,
        )
        self._waiting = Gauge(
            "mutx_outbox_waiting", "Events that a sink has not taken yet", ["sink"], registry=registry
        )

    def set(self, fleet: Fleet, vitals: Vitals) -> None:
        self._total.set(fleet.agents)
        self._active.set(fleet.active)
        self._queue.set(fleet.tasks)
        self._deployed.set(sum(fleet.deployments.values()))
        self._running.set(fleet.deployments.get(SupervisionState.RUNNING, 0))
        for state in SupervisionState:
            self._states.labels(state.value).set(fleet.deployments.get(state, 0))
        self._monitor.set(max(vitals.failures().values(), default=0))
        for sink, waiting in fleet.waiting.items():
            self._waiting.labels(sink).set(waiting)
