"""What the relational side costs, as Prometheus metrics under the names of the technical reference (§13)."""

from collections.abc import Iterable
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import event

from mutx.storage.engine import Database

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
BEGUN = "_mutx_begun"
"""Where a statement's context keeps the time at which it began."""


def watch(database: Database, registry: CollectorRegistry) -> None:
    """Time every statement, and show the state of the pools whenever somebody scrapes."""
    duration = Histogram(
        "db_query_duration_seconds", "Database query duration in seconds", buckets=SECONDS, registry=registry
    )

    def begin(_conn: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        setattr(context, BEGUN, perf_counter())

    def end(_conn: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        duration.observe(perf_counter() - getattr(context, BEGUN))

    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", begin)
        event.listen(engine, "after_cursor_execute", end)
    registry.register(PoolCollector(database))


class PoolCollector(Collector):
    """The connection pools, counted together at the moment of the scrape."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterable[GaugeMetricFamily]:
        state = self._database.pool()
        yield GaugeMetricFamily("db_pool_size", "Database connection pool size", state.size)
        yield GaugeMetricFamily("db_pool_acquired", "Number of acquired database connections", state.acquired)
        yield GaugeMetricFamily("db_pool_overflow", "Number of overflow connections", state.overflow)
