"""W3C trace context: what is done for a request belongs to the trace that its caller began."""

import structlog
from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.web.credentials import header


class Tracing:
    """Reads `traceparent` and `tracestate`; without them it costs one look at the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parent = header(scope, b"traceparent") if scope["type"] == "http" else None
        if parent is None:
            await self._app(scope, receive, send)
            return
        carrier = {"traceparent": parent.decode("latin-1")}
        if (state := header(scope, b"tracestate")) is not None:
            carrier["tracestate"] = state.decode("latin-1")
        extracted = self._propagator.extract(carrier, context.Context())
        span = trace.get_current_span(extracted).get_span_context()
        if span.is_valid:
            scope["mutx.trace_id"] = trace.format_trace_id(span.trace_id)
            structlog.contextvars.bind_contextvars(trace_id=scope["mutx.trace_id"])
        token = context.attach(extracted)
        try:
            await self._app(scope, receive, send)
        finally:
            context.detach(token)
