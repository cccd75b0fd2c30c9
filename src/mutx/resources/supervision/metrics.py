"""Supervision as metrics."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from mutx.contract.supervision import SupervisionState


class SupervisionMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._agents = Gauge(
            "mutx_supervised_agents", "Agents that this control plane supervises", ["state"], registry=registry
        )
        self.starts = Counter("mutx_supervised_starts_total", "Supervised processes started", registry=registry)
        self.adopted = Counter(
            "mutx_supervised_adopted_total", "Running processes found again at a start", registry=registry
        )
        self.restarts = Counter("mutx_supervised_restarts_total", "Restarts after crashes", registry=registry)
        self.crashes = Counter("mutx_supervised_crashes_total", "Ends that nobody asked for", registry=registry)
        self.forced = Counter("mutx_supervised_forced_kills_total", "Stops that took KILL", registry=registry)

    def show(self, states: Iterable[str]) -> None:
        counted = Tally(states)
        for state in SupervisionState:
            self._agents.labels(state.value).set(counted[state.value])
