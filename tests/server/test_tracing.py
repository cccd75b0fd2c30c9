"""A collector gets a span for each request that is to have one, in the trace of whoever called."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from mutx.sdk.client import MutxAsyncClient
from mutx.server.wiring import ControlPlane
from mutx.services.telemetry.tracing import RequestTracer
from tests.faults.world import call, inhabited, started
from tests.services.telemetry.receivers import Received, http_receiver
from tests.services.telemetry.test_otlp import attributes, spans

TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
CALLER = SpanContext(TRACE, 0x00F067AA0BA902B7, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


@pytest.fixture
def collector() -> Iterator[Received]:
    with http_receiver() as received:
        yield received


def requests_in(collector: Received) -> dict[str, list[Any]]:
    """The request spans, by name; tool calls and what is about them come from the outbox."""
    found: dict[str, list[Any]] = {}
    for span in spans(collector):
        if "http.route" in attributes(span):
            found.setdefault(span.name, []).append(span)
    return found


async def test_requests_are_spans_that_tell_what_was_done(tmp_path: Path, collector: Received) -> None:
    async with (
        started(tmp_path / "home", otlp_endpoint=f"{collector.url}/v1/traces") as plane,
        inhabited(plane) as world,
    ):
        named = {"x-request-id": "build-4711"}
        decided = await world.operator.post("/v1/governance/decide", json=call("read", secret="s3cr3t-argument"))
        await world.operator.get(f"/v1/agents/{world.agent_id}", headers=named)
        await world.operator.get("/v1/nothing")
        token = world.token
    found = requests_in(collector)
    (decide,) = found["mutx.governance.decide"]
    assert attributes(decide) == attributes(decide) | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "read",
        "gen_ai.agent.id": "bot",
        "gen_ai.conversation.id": "s",
        "gen_ai.tool.call.id": decided.json()["action_id"],
        "mutx.decision": "allow",
        "http.route": "/v1/governance/decide",
        "http.response.status_code": 200,
        "mutx.request.id": decided.headers["x-request-id"],
    }
    (get,) = found["mutx.agents.get"]
    assert attributes(get)["gen_ai.agent.id"] == world.agent_id
    assert attributes(get)["mutx.request.id"] == "build-4711"
    assert attributes(get)["mutx.workspace.id"]
    (unmatched,) = found["mutx.request"]
    assert attributes(unmatched)["http.response.status_code"] == 404
    everything = b"".join(body for _, _, body in collector.requests)
    assert token.encode() not in everything
    assert b"s3cr3t-argument" not in everything


async def test_a_span_stands_in_the_trace_of_its_caller(tmp_path: Path, collector: Received) -> None:
    """Even where the ratio would not have begun one; and none where the caller's trace is not sampled."""
    endpoint = f"{collector.url}/v1/traces"
    unsampled = SpanContext(TRACE, 7, is_remote=False, trace_flags=TraceFlags(0))
    async with (
        started(tmp_path / "home", otlp_endpoint=endpoint, trace_ratio=0.0) as plane,
        traced_client(plane) as client,
    ):
        await client.agents.list()
        for parent in (CALLER, unsampled):
            attached = context.attach(trace.set_span_in_context(NonRecordingSpan(parent)))
            await client.agents.list()
            context.detach(attached)
    ((name, (span,)),) = requests_in(collector).items()
    assert name == "mutx.agents.list"
    assert int.from_bytes(span.trace_id) == TRACE
    assert int.from_bytes(span.parent_span_id) == CALLER.span_id


def traced_client(plane: ControlPlane) -> MutxAsyncClient:
    class SignedIn(httpx2.ASGITransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            request.headers["authorization"] = f"Bearer {await plane.local_token()}"
            return await super().handle_async_request(request)

    return MutxAsyncClient("http://127.0.0.1", transport=SignedIn(plane.app))


async def test_a_failed_request_is_a_failed_span(
    tmp_path: Path, collector: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2hunter2")

    async with (
        started(tmp_path / "home", otlp_endpoint=f"{collector.url}/v1/traces") as plane,
        inhabited(plane) as world,
    ):
        monkeypatch.setattr("mutx.resources.agents.service.Agents.list", broken)
        assert (await world.operator.get("/v1/agents")).status_code == 500
    (span,) = requests_in(collector)["mutx.agents.list"]
    assert span.status.code == 2
    assert attributes(span)["error.type"] == "500"
    assert not any(b"hunter2" in body for _, _, body in collector.requests)


def test_the_ratio_is_kept_evenly() -> None:
    tracer = RequestTracer("http://127.0.0.1:9/v1/traces", ratio=0.25)
    assert [tracer.wanted() for _ in range(8)] == [False, False, False, True] * 2
    tracer.close()
