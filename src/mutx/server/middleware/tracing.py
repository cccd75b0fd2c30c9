"""W3C trace context: what is done for a request belongs to the trace that its caller began, or to one of its own."""

from collections.abc import Mapping

import structlog
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mutx.server.middleware.metrics import method_of, template_of
from mutx.services.telemetry import conventions as names
from mutx.services.telemetry.tracing import RequestTracer
from mutx.web.credentials import header

SAMPLED = "mutx.sampled"
"""In the scope of a request for which it was decided earlier that it gets a span."""
MAX_ATTRIBUTE = 128

SpanNames = Mapping[tuple[str, str], str]
"""Method and route template -> `mutx.<family>.<operation>`."""

ABOUT = {"agent_id": names.AGENT_ID, "session_id": names.CONVERSATION_ID, "action_id": names.TOOL_CALL_ID}
"""Path parameters that are shown on spans. No others are: some are secrets."""


class Tracing:
    """Reads `traceparent` and `tracestate`, names trace and tenant in the log's context, and keeps the request's span.

    Without a tracer and without these headers it costs two looks.
    """

    def __init__(
        self, app: ASGIApp, *, tracer: RequestTracer | None = None, span_names: SpanNames | None = None
    ) -> None:
        self._app = app
        self._tracer = tracer
        self._span_names = span_names or {}
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (caller := scope.get("mutx.caller")) is not None:
            structlog.contextvars.bind_contextvars(tenant=caller.workspace_id)
        parent = self._extracted(scope)
        if self._tracer is not None and (parent is not None or SAMPLED in scope or self._tracer.wanted()):
            await self._traced(self._tracer.begin(parent), scope, receive, send)
        elif parent is not None:
            await self._within(parent, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _extracted(self, scope: Scope) -> Context | None:
        parent = header(scope, b"traceparent")
        if parent is None:
            return None
        carrier = {"traceparent": parent.decode("latin-1")}
        if (state := header(scope, b"tracestate")) is not None:
            carrier["tracestate"] = state.decode("latin-1")
        found = self._propagator.extract(carrier, Context())
        return found if trace.get_current_span(found).get_span_context().is_valid else None

    async def _within(self, inner: Context, scope: Scope, receive: Receive, send: Send) -> None:
        span = trace.get_current_span(inner).get_span_context()
        scope["mutx.trace_id"] = trace.format_trace_id(span.trace_id)
        structlog.contextvars.bind_contextvars(
            trace_id=scope["mutx.trace_id"], span_id=trace.format_span_id(span.span_id)
        )
        token = context.attach(inner)
        try:
            await self._app(scope, receive, send)
        finally:
            context.detach(token)

    async def _traced(self, span: Span, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._within(trace.set_span_in_context(span, Context()), scope, receive, sending)
        finally:
            if span.is_recording():
                self._describe(span, scope, status)
            span.end()

    def _describe(self, span: Span, scope: Scope, status: int) -> None:
        """By route and template only: a raw path may hold a token."""
        method, route = method_of(scope), template_of(scope)
        span.update_name(self._span_names.get((method, route), "mutx.request"))
        found = {
            names.HTTP_METHOD: method,
            names.HTTP_ROUTE: route,
            names.HTTP_STATUS: status,
            names.REQUEST_ID: scope.get("mutx.request_id", ""),
        }
        if (caller := scope.get("mutx.caller")) is not None:
            found[names.WORKSPACE] = caller.workspace_id
        for name, value in scope.get("path_params", {}).items():
            if name in ABOUT:
                found[ABOUT[name]] = str(value)[:MAX_ATTRIBUTE]
        span.set_attributes(found)
        if status >= 500:
            span.set_attribute(names.ERROR_TYPE, str(status))
            span.set_status(Status(StatusCode.ERROR))


class SampledWay:
    """Stands before the short way for hot requests: those that get a span go the full way, where it is made."""

    def __init__(self, short: ASGIApp, full: ASGIApp, *, hot: Mapping[str, object], tracer: RequestTracer) -> None:
        self._short = short
        self._full = full
        self._hot = frozenset(hot)
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._hot and self._tracer.wanted():
            scope[SAMPLED] = True
            await self._full(scope, receive, send)
            return
        await self._short(scope, receive, send)
