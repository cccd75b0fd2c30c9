"""HTTP metrics under the names of the product's technical reference (§5), labelled by route template."""

import sys
from time import perf_counter

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mutx.web.credentials import header

log = structlog.stdlib.get_logger("mutx.http")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
EDGE = "edge"
"""In place of the route's template: refused before there was one (host, origin, rate, credential store)."""
TRACKED = "mutx.tracked"
DURATIONS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUEST_SIZES = (100, 500, 1000, 5000, 10000, 50000, 100000)
RESPONSE_SIZES = (*REQUEST_SIZES, 500000)


class HttpMetrics:
    """The metrics, and their children by label values: looking a child up costs more than using it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        route = ["method", "path"]
        self._requests = Counter("http_requests_total", "Total HTTP requests", [*route, "status"], registry=registry)
        self._calls = Counter("mutx_api_calls_total", "Total API calls", ["endpoint"], registry=registry)
        self._errors = Counter("mutx_errors_total", "Total errors by type", ["type", "endpoint"], registry=registry)
        self._duration = Histogram(
            "http_request_duration_seconds",
            "HTTP request latency in seconds",
            route,
            buckets=DURATIONS,
            registry=registry,
        )
        self._received = Histogram(
            "http_request_size_bytes", "HTTP request size in bytes", route, buckets=REQUEST_SIZES, registry=registry
        )
        self._sent = Histogram(
            "http_response_size_bytes", "HTTP response size in bytes", route, buckets=RESPONSE_SIZES, registry=registry
        )
        self.active = Gauge("http_connections_active", "Number of active HTTP connections", registry=registry)
        self._by_route: dict[tuple[str, str], tuple[Counter, Histogram, Histogram, Histogram]] = {}
        self._by_status: dict[tuple[str, str, int], Counter] = {}

    def record(self, method: str, path: str, status: int, seconds: float, received: int, sent: int) -> None:
        children = self._by_route.get((method, path))
        if children is None:
            children = (
                self._calls.labels(path),
                self._duration.labels(method, path),
                self._received.labels(method, path),
                self._sent.labels(method, path),
            )
            self._by_route[method, path] = children
        counted = self._by_status.get((method, path, status))
        if counted is None:
            counted = self._by_status[method, path, status] = self._requests.labels(method, path, status)
        calls, duration, received_bytes, sent_bytes = children
        counted.inc()
        calls.inc()
        duration.observe(seconds)
        received_bytes.observe(received)
        sent_bytes.observe(sent)

    def failed(self, kind: str, path: str) -> None:
        self._errors.labels(kind, path).inc()


class _Measured:
    """A `send` that keeps what went through it."""

    __slots__ = ("_send", "size", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.size = 0
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)


class EdgeMetrics:
    """Counts what was answered before `Metrics` saw it. Stands outside; costs a look where there is nothing to count."""

    def __init__(self, app: ASGIApp, *, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        measured, begun = _Measured(send), perf_counter()
        await self._app(scope, receive, measured)
        if TRACKED not in scope:
            seconds = perf_counter() - begun
            self._metrics.record(method_of(scope), EDGE, measured.status, seconds, _declared(scope), measured.size)
            if measured.status >= 500:
                self._metrics.failed(f"http_{measured.status}", EDGE)


class Metrics:
    """Counts, times and sizes of every request that passed the edge; a log line for each that failed, for all at DEBUG."""

    def __init__(self, app: ASGIApp, *, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[TRACKED] = True
        measured, begun = _Measured(send), perf_counter()
        self._metrics.active.inc()
        try:
            await self._app(scope, receive, measured)
        finally:
            self._metrics.active.dec()
            path = template_of(scope)
            if (kind := _error_kind(measured.status)) is not None:
                self._metrics.failed(kind, path)
            method, seconds = method_of(scope), perf_counter() - begun
            self._metrics.record(method, path, measured.status, seconds, _declared(scope), measured.size)
            tell = log.warning if kind is not None else log.debug
            tell("request", method=method, route=path, status=measured.status, duration_ms=round(1000 * seconds, 3))


def _error_kind(status: int) -> str | None:
    """The class of the exception in flight, `aborted` if the request was, or the status of an answer over 499."""
    raised = sys.exc_info()[0]
    if raised is not None:
        return raised.__name__ if issubclass(raised, Exception) else "aborted"
    return f"http_{status}" if status >= 500 else None


def method_of(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in METHODS else "OTHER"


def template_of(scope: Scope) -> str:
    """The route's template, never the raw path: labels must stay few."""
    route = scope.get("mutx.route") or getattr(scope.get("route"), "path", None)
    return route or UNMATCHED


def _declared(scope: Scope) -> int:
    length = header(scope, b"content-length")
    return int(length) if length is not None and length.isdigit() else 0
