"""Spans and the context that travels with requests."""

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mutx.sdk.telemetry import init_telemetry, span, trace_context


def test_spans_nest_are_exported_and_travel_as_headers() -> None:
    exporter = InMemorySpanExporter()
    provider = init_telemetry("shop", exporter=exporter)
    assert trace_context() == {}
    with span("outer", {"amount": 5}) as outer, span("inner"):
        header = trace_context()["traceparent"]
    provider.shutdown()
    assert f"{outer.get_span_context().trace_id:032x}" in header
    inner, finished = exporter.get_finished_spans()
    assert inner.parent is not None
    assert inner.parent.span_id == finished.context.span_id
    assert finished.attributes == {"amount": 5}
    assert finished.resource.attributes["service.name"] == "shop"
