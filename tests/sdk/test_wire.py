"""The clients against servers that answer in ways a healthy one does not, or seldom."""

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, use_span

from mutx.kit.errors import MutxError, NotFound, SetupError, Unauthenticated
from mutx.sdk import MutxAsyncClient, MutxClient, MutxPolicyClient
from mutx.sdk.credentials import FileTokens, MemoryTokens, TokenPair
from mutx.sdk.telemetry import init_telemetry

Handler = Callable[[httpx2.Request], httpx2.Response]
POLICY = {"id": "00000000-0000-0000-0000-000000000001", "name": "words", "version": 1, "enabled": True, "rules": []}
POLICY |= {
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "kind": "set",
    "document": "",
    "digest": "d",
}


def problem(status: int, code: str) -> httpx2.Response:
    return httpx2.Response(status, json={"code": code, "message": "no", "details": {}})


def asynchronous(handler: Handler, **given: object) -> MutxAsyncClient:
    return MutxAsyncClient("http://x", transport=httpx2.MockTransport(handler), **given)  # type: ignore[arg-type]


async def test_events_stream_to_the_asynchronous_client_as_well() -> None:
    change = {"name": "words", "version": 2, "in_force": True, "policy_version": "p"}
    stream = f": ping\n\nevent: policy_updated\ndata:\n\nevent: policy_updated\ndata: {json.dumps(change)}\n\n"

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.headers.get("authorization") is None:
            return problem(401, "unauthenticated")
        return httpx2.Response(200, content=stream.encode(), headers={"content-type": "text/event-stream"})

    async with asynchronous(handler, api_key="key") as client:
        assert [told.version async for told in client.policies.stream()] == [2]
    async with asynchronous(handler) as client:
        with pytest.raises(Unauthenticated):
            [told async for told in client.policies.stream()]


async def test_a_login_that_another_program_renewed_meanwhile_is_used() -> None:
    store, renewals = MemoryTokens(TokenPair("old", "r1")), []

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/refresh"):
            renewals.append(request)
            return httpx2.Response(200, text="an old proxy's greeting")
        if request.headers["authorization"] == "Bearer old":
            store.save(TokenPair("new", "r2"))
            return problem(401, "unauthenticated")
        return problem(404, "not_found")

    async with asynchronous(handler, tokens=store) as client:
        with pytest.raises(NotFound):
            await client.auth.me()
        assert renewals == []
        store.save(TokenPair("old", "r1"))
        store.save = lambda _: None  # type: ignore[method-assign]
        with pytest.raises(Unauthenticated):
            await client.auth.me()
        assert len(renewals) == 1
    assert "old" not in repr(store.load())


def test_a_code_of_a_newer_server_is_told_as_it_is() -> None:
    with (
        MutxClient("http://x", transport=httpx2.MockTransport(lambda _: problem(418, "teapot"))) as client,
        pytest.raises(MutxError, match=r"no \(teapot\)"),
    ):
        client.health.get()


def test_requests_carry_the_trace_that_the_program_is_in() -> None:
    seen: list[httpx2.Headers] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers)
        return problem(404, "not_found")

    state = TraceState([("vendor", "1")])
    with MutxClient("http://x", transport=httpx2.MockTransport(handler)) as client:
        for span in (None, SpanContext(5, 6, is_remote=False, trace_flags=TraceFlags(1), trace_state=state)):
            with use_span(NonRecordingSpan(span or SpanContext(0, 0, is_remote=False))), pytest.raises(NotFound):
                client.health.get()
    assert [headers.get("traceparent") for headers in seen] == [None, f"00-{5:032x}-{6:016x}-01"]
    assert seen[1]["tracestate"] == "vendor=1"


@pytest.mark.parametrize(("content", "said"), [("no json", "cannot be read"), ("[]", "not a JSON object")])
def test_a_credentials_file_that_is_none_says_what_to_do(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SetupError, match=f"{said}.*mutx login"):
        FileTokens(path).load()
    path.write_text('{"url": "http://x"}')
    assert FileTokens(path).load() is None


def test_rules_last_seen_stay_in_use_while_the_server_is_away(caplog: pytest.LogCaptureFixture) -> None:
    asked, away = threading.Semaphore(0), threading.Event()
    change = {"name": "another", "version": 2, "in_force": True, "policy_version": "p"}
    stream = f"event: policy_updated\ndata: {json.dumps(change)}\n\n".encode()

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.release()
        if request.url.path.endswith("/stream"):
            return httpx2.Response(200, content=stream, headers={"content-type": "text/event-stream"})
        return problem(503, "unavailable") if away.is_set() else httpx2.Response(200, json=POLICY)

    transport = httpx2.MockTransport(handler)
    with caplog.at_level(logging.WARNING), MutxPolicyClient("http://x", "words", "key", transport=transport) as watcher:
        assert watcher.get_current_rules() == []
        away.set()
        watcher.start_watching(poll_interval=0.01)
        for _ in range(6):
            assert asked.acquire(timeout=60)
        assert watcher.get_current_rules() == []
        threads = list(watcher._threads)
    for thread in threads:
        thread.join(60)
    assert "the rules last seen stay in use" in caplog.text


def test_tracing_without_a_collector_carries_context_only() -> None:
    for endpoint in (None, "http://127.0.0.1:9/v1/traces"):
        provider = init_telemetry("shop", endpoint)
        assert provider.resource.attributes["service.name"] == "shop"
        provider.shutdown()
