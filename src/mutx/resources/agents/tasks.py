"""What agents did of what was asked of them, as metrics. A task is a command: sent, fetched, acknowledged."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram

SECONDS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)
SUCCESS, FAILED, TIMEOUT = "success", "failed", "timeout"


class TaskMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        total = Counter("mutx_agent_tasks_total", "Total agent tasks processed", ["status"], registry=registry)
        self._total = {True: total.labels(SUCCESS), False: total.labels(FAILED)}
        self._late = total.labels(TIMEOUT)
        self._duration = Histogram(
            "mutx_agent_task_duration_seconds", "Agent task duration in seconds", buckets=SECONDS, registry=registry
        )

    def timed_out(self, commands: int) -> None:
        self._late.inc(commands)

    def completed(self, success: bool, sent: datetime, acknowledged: datetime) -> None:
        self._total[success].inc()
        self._duration.observe(max(0.0, (acknowledged - sent).total_seconds()))
