"""A collector gets what OpenTelemetry says a tool call looks like."""

import gzip
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mutx.governance.turn import Event
from mutx.governance.types import Effect, IntentSignal
from mutx.kit.errors import Unavailable
from mutx.services.telemetry.otlp import OtlpSink
from tests.conformance.scribe import Scribe
from tests.services.telemetry.receivers import Received


def spans(receiver: Received) -> list[Any]:
    found = []
    for path, headers, body in receiver.requests:
        assert path == "/v1/traces"
        data = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        for resource in ExportTraceServiceRequest.FromString(data).resource_spans:
            for scope in resource.scope_spans:
                found += scope.spans
    return found


def attributes(span: Any) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in span.attributes}


async def test_a_call_that_ran_is_a_span_of_its_duration(scribe: Scribe, receiver: Received) -> None:
    decided = await scribe.allow()
    concluded = await scribe.conclude(decided)
    event: Event = concluded.events[0]
    event.payload["duration_ms"] = 250
    await OtlpSink(f"{receiver.url}/v1/traces", {"authorization": "Bearer t"}).send([*decided.events, event])
    assert receiver.requests[0][1]["authorization"] == "Bearer t"
    action, decision, call = spans(receiver)
    assert [span.name for span in (action, decision, call)] == [
        "aarm.action",
        "aarm.decision",
        "execute_tool mail.send",
    ]
    assert call.end_time_unix_nano - call.start_time_unix_nano == 250_000_000
    assert action.parent_span_id == decision.parent_span_id == call.span_id
    assert action.trace_id == call.trace_id
    assert attributes(call) == attributes(call) | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "mail.send",
        "gen_ai.tool.call.id": decided.action.id,
        "gen_ai.agent.id": "agent-1",
        "gen_ai.conversation.id": "s-1",
        "mutx.workspace.id": "ws-1",
        "mutx.status": "executed",
    }
    assert "error.type" not in attributes(call)


async def test_a_refused_call_is_a_failed_span(scribe: Scribe, receiver: Received) -> None:
    denied = await scribe.decide(
        scribe.action(), scribe.decision(Effect.DENY, intent=IntentSignal.DRIFT_CONFIRMED, alerts=("p/w",))
    )
    failed = await scribe.conclude(await scribe.allow(), error="boom")
    waiting, _ = await scribe.wait()
    sink = OtlpSink(f"{receiver.url}/v1/traces")
    await sink.send([*denied.events, *failed.events, *waiting.events])
    await sink.send(denied.events)
    found = spans(receiver)
    calls = [span for span in found if span.name == "execute_tool mail.send"]
    assert [span.status.code for span in calls] == [2, 2, 2]
    assert [attributes(span)["error.type"] for span in calls] == ["rule", "tool_error", "rule"]
    assert calls[0].span_id == calls[2].span_id
    assert {"aarm.drift", "aarm.alert", "aarm.approval"} <= {span.name for span in found}


async def test_a_collector_that_refuses_gets_the_spans_again(scribe: Scribe, receiver: Received) -> None:
    receiver.status = 400
    turn = await scribe.allow()
    with pytest.raises(Unavailable):
        await OtlpSink(f"{receiver.url}/v1/traces").send(turn.events)
