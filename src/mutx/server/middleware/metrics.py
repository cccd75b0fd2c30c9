"""HTTP metrics under the names of the product's technical reference (§5), labelled by route template."""

import sys
from time import perf_counter

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mutx.server.middleware.request_counts import RequestCounts
from mutx.web.credentials import header

log = structlog.stdlib.get_logger("mutx.http")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
EDGE = "edge"
"""In place of the route's template: refused before there was one (host, origin, rate, credential store)."""
TRACKED = "mutx.tracked"


class HttpMetrics:
    """Counts of requests, of errors, and of what is under way."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._errors = Counter("mutx_errors_total", "Total errors by type", ["type", "endpoint"], registry=registry)
        self.record = RequestCounts(registry).record
        self.active = 0
        """Requests under way."""
        active = Gauge("http_connections_active", "Number of active HTTP connections", registry=registry)
        active.set_function(lambda: self.active)

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
        self._metrics.active += 1
        try:
            await self._app(scope, receive, measured)
        finally:
            self._metrics.active -= 1
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
