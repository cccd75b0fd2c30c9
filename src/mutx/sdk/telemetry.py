"""Tracing for programs that use the SDK, by OpenTelemetry."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

TRACER = "mutx.sdk"


def init_telemetry(
    service_name: str, endpoint: str | None = None, *, exporter: SpanExporter | None = None
) -> TracerProvider:
    """Set up tracing for this process and return its provider; call `shutdown()` on it to send what is left.

    With `endpoint` (an OTLP/HTTP collector, for instance `http://localhost:4318/v1/traces`) or `exporter`, spans are sent there;
    with neither they only carry context, so that calls of several services still meet in one trace.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": service_name}))
    if exporter is None and endpoint is not None:
        exporter = OTLPSpanExporter(endpoint=endpoint)
    if exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


@contextmanager
def span(name: str, attributes: Mapping[str, AttributeValue] | None = None) -> Iterator[Span]:
    """A span around the block, child of the one around it; an exception in the block is recorded on it."""
    with trace.get_tracer(TRACER).start_as_current_span(name, attributes=attributes) as current:
        yield current


def trace_context() -> dict[str, str]:
    """The present trace as headers (`traceparent`, W3C Trace Context) to be sent along with a request."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers
