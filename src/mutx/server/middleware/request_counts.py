"""Requests, counted in plain numbers and told as Prometheus metrics when somebody scrapes.

A counter or a histogram of the client library takes a lock and several calls for each number. Seven numbers of every
request, thirteen updates, cost a twentieth of a governed decision. Here a request adds to what its route already holds.
Called on the event loop alone; a scrape reads.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

DURATIONS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUEST_SIZES = (100, 500, 1000, 5000, 10000, 50000, 100000)
RESPONSE_SIZES = (*REQUEST_SIZES, 500000)
ROUTE = ("method", "path")


class Spread:
    """How often a value fell between bounds, and the sum of all of them."""

    __slots__ = ("counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.counts = [0] * (len(bounds) + 1)
        """Of values at most each bound and above the one before it; the last one is without bound."""
        self.sum = 0.0


class RouteCounts:
    """What one route answered."""

    __slots__ = ("begun", "received", "seconds", "sent", "statuses")

    def __init__(self) -> None:
        self.begun = time.time()
        self.statuses: dict[int, list[float]] = {}
        """Status -> how often, and when for the first time."""
        self.seconds = Spread(DURATIONS)
        self.received = Spread(REQUEST_SIZES)
        self.sent = Spread(RESPONSE_SIZES)

    def add(self, status: int, seconds: float, received: int, sent: int) -> None:
        """One request. Sizes in bytes."""
        counted = self.statuses.get(status)
        if counted is None:
            self.statuses[status] = [1, time.time()]
        else:
            counted[0] += 1
        spread = self.seconds
        spread.counts[bisect_left(DURATIONS, seconds)] += 1
        spread.sum += seconds
        spread = self.received
        spread.counts[bisect_left(REQUEST_SIZES, received)] += 1
        spread.sum += received
        spread = self.sent
        spread.counts[bisect_left(RESPONSE_SIZES, sent)] += 1
        spread.sum += sent


class RequestCounts(Collector):
    """Every route's counts, by method and template."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._routes: dict[tuple[str, str], RouteCounts] = {}
        registry.register(self)

    def record(self, method: str, path: str, status: int, seconds: float, received: int, sent: int) -> None:
        route = self._routes.get((method, path))
        if route is None:
            route = self._routes[method, path] = RouteCounts()
        route.add(status, seconds, received, sent)

    def describe(self) -> Iterable[Metric]:
        """The names, so that the registry refuses others of the same name."""
        return self.collect()

    def collect(self) -> Iterable[Metric]:
        routes = tuple(self._routes.items())
        yield self._requests(routes)
        yield self._calls(routes)
        seconds = HistogramMetricFamily(
            "http_request_duration_seconds", "HTTP request latency in seconds", labels=ROUTE
        )
        received = HistogramMetricFamily("http_request_size_bytes", "HTTP request size in bytes", labels=ROUTE)
        sent = HistogramMetricFamily("http_response_size_bytes", "HTTP response size in bytes", labels=ROUTE)
        for at, route in routes:
            _tell(seconds, at, DURATIONS, route.seconds, route.begun)
            _tell(received, at, REQUEST_SIZES, route.received, route.begun)
            _tell(sent, at, RESPONSE_SIZES, route.sent, route.begun)
        yield from (seconds, received, sent)

    def _requests(self, routes: "Routes") -> Metric:
        family = CounterMetricFamily("http_requests_total", "Total HTTP requests", labels=(*ROUTE, "status"))
        for at, route in routes:
            for status, (count, begun) in tuple(route.statuses.items()):
                family.add_metric((*at, str(status)), count, begun)
        return family

    def _calls(self, routes: "Routes") -> Metric:
        family = CounterMetricFamily("mutx_api_calls_total", "Total API calls", labels=("endpoint",))
        calls: dict[str, tuple[int, float]] = {}
        for (_, path), route in routes:
            count, begun = calls.get(path, (0, route.begun))
            calls[path] = count + sum(route.seconds.counts), min(begun, route.begun)
        for path, (count, begun) in calls.items():
            family.add_metric((path,), count, begun)
        return family


Routes = Sequence[tuple[tuple[str, str], RouteCounts]]


def _tell(
    family: HistogramMetricFamily, at: tuple[str, str], bounds: Sequence[float], spread: Spread, begun: float
) -> None:
    names = [*map(floatToGoString, bounds), "+Inf"]
    family.add_metric(at, list(zip(names, accumulate(spread.counts), strict=True)), spread.sum)
    family.add_sample(f"{family.name}_created", dict(zip(ROUTE, at, strict=True)), begun)
