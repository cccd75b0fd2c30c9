"""Spans of what this server does, over OTLP/HTTP. Made by hand: one for a request, named and described where it ends."""

from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import Span, SpanKind

from mutx.services.telemetry.collectors import TokenExchange

SCOPE = "mutx"


class RequestTracer:
    """Begins a span for a share of the requests; where a caller brings a trace along, that trace's sampling holds.

    Exporting runs on a thread of its own and drops what it cannot send: a collector that is down costs nobody anything.
    """

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, str] | None = None,
        exchange: TokenExchange | None = None,
        *,
        ratio: float = 1.0,
        service: str = "mutx",
    ) -> None:
        """`endpoint`: the full URL, `http://collector:4318/v1/traces`. `ratio`: of the requests that begin a trace."""
        from mutx.services.telemetry.exporter import open_exporter

        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service}), sampler=ParentBased(ALWAYS_ON), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(open_exporter(endpoint, headers, exchange)))
        self._tracer = self._provider.get_tracer(SCOPE)
        self._ratio = ratio
        self._due = 0.0

    def wanted(self) -> bool:
        """Whether the next request that begins a trace gets a span: evenly, every 1/ratio-th."""
        self._due += self._ratio
        if self._due < 1.0:
            return False
        self._due -= 1.0
        return True

    def begin(self, parent: Context | None) -> Span:
        """A span that the caller ends. `parent`: the context that the request brought along, if any."""
        return self._tracer.start_span("mutx.request", context=parent or Context(), kind=SpanKind.SERVER)

    def close(self) -> None:
        """Send what is left, and stop the exporter's thread."""
        self._provider.shutdown()
