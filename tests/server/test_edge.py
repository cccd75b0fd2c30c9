"""What every request passes before it reaches a route."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware
from structlog.testing import capture_logs

from mutx.governance.types import Caller
from mutx.server.app import middleware
from mutx.server.doors.http import HotRoute
from mutx.server.edge import local_limiters
from mutx.server.middleware.metrics import HttpMetrics
from mutx.server.middleware.timeouts import RequestTimeout
from mutx.server.middleware.tracing import Tracing
from tests.postgres import Postgres
from tests.server.plane import PASSWORD, Plane, running

JSON = {"content-type": "application/json"}


async def test_a_request_keeps_its_name_or_gets_one(plane: Plane) -> None:
    http = plane.client()
    for fit in ("build-4711", "7", "req_1", "Root=1-67891233-abcdef012345678912345678", "YWJj/+=="):
        assert (await http.get("/health", headers={"x-request-id": fit})).headers["x-request-id"] == fit
    for unfit in ("", "with space in it", "x" * 200, "new\tline-here"):
        given = (await http.get("/health", headers={"x-request-id": unfit})).headers["x-request-id"]
        assert given != unfit
        assert len(given) == 36


async def test_probes_answer_everybody_while_the_store_is_away(postgres: Postgres, tmp_path: Path) -> None:
    name = postgres.migrated()
    async with running(tmp_path / "home", database_url=postgres.url(name)) as plane:
        ana = await plane.register()
        key = (await ana.http.post("/v1/api-keys", json={"name": "probe"})).json()["key"]
        postgres.drop(name)
        prober = plane.client(key)  # it was not verified before
        assert (await prober.get("/v1/agents")).status_code == 503
        health, ready = await prober.get("/health"), await prober.get("/ready")
        assert (health.status_code, health.json()["components"]["database"]["status"]) == (200, "unhealthy")
        assert (ready.status_code, ready.json()["details"]["components"]["signer"]["status"]) == (503, "healthy")


async def test_answers_carry_security_headers(plane: Plane) -> None:
    answer = await plane.client().get("/health")
    for name in ("x-content-type-options", "x-frame-options", "content-security-policy", "referrer-policy"):
        assert name in answer.headers
    assert answer.headers["cache-control"] == "no-store"


async def test_errors_of_the_router_are_problems_too(plane: Plane) -> None:
    missing = await plane.client().get("/v1/nothing")
    wrong = await plane.client().delete("/health")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert missing.json()["detail"] == missing.json()["message"]
    assert missing.json()["request_id"] == missing.headers["x-request-id"]


async def test_every_kind_of_error_has_one_shape(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await plane.register()
    invalid = await ana.http.post("/v1/agents", json={"name": "", "password": "hunter2hunter2"})
    unknown = await ana.http.get("/v1/agents/00000000-0000-7000-8000-000000000000")
    host = await plane.client().get("/health", headers={"host": "evil.example"})

    async def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2hunter2")

    monkeypatch.setattr("mutx.resources.agents.service.Agents.list", broken)
    crashed = await ana.http.get("/v1/agents")
    assert [a.status_code for a in (invalid, unknown, host, crashed)] == [422, 404, 400, 500]
    for answer in (invalid, unknown, host, crashed):
        problem = answer.json()
        assert set(problem) == {"code", "message", "details", "request_id", "timestamp", "detail"}
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert datetime.fromisoformat(problem["timestamp"]).tzinfo is not None
        assert "hunter2" not in answer.text
    assert "RuntimeError" not in crashed.text
    text = (await plane.client().get("/metrics")).text
    assert 'http_requests_total{method="GET",path="edge",status="400"} 1.0' in text
    assert 'mutx_errors_total{endpoint="/v1/agents",type="RuntimeError"} 1.0' in text


async def test_older_clients_may_leave_the_version_out_and_the_slash_in(plane: Plane) -> None:
    ana = await plane.register()
    made = await ana.http.post("/agents/", json={"name": "scout"})
    assert made.status_code == 201
    for path in (f"/agents/{made.json()['id']}", f"/v1/agents/{made.json()['id']}/", "/agents/?limit=1", "/health/"):
        answer = await ana.http.get(path)
        assert answer.status_code == 200, path
        assert not answer.history
    assert (await ana.http.get("/v1/health")).status_code == 404
    assert (await ana.http.get("/v1//agents")).status_code == 404
    assert (await ana.http.get("/nothing")).status_code == 404
    assert not [path for path in plane.app.openapi()["paths"] if path.startswith("/agents")]


async def test_a_body_that_does_not_arrive_is_408(tmp_path: Path) -> None:
    async def slowly() -> Any:
        yield b'{"na'
        await asyncio.sleep(30)
        yield b'me": "x"}'

    async with running(tmp_path / "home", body_timeout_seconds=0.05) as plane:
        ana = await plane.register()
        answer = await ana.http.post("/v1/agents", content=slowly(), headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (408, "request_too_slow")
        assert answer.headers["connection"] == "close"


async def test_a_request_without_an_answer_is_given_up() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/streams":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.sleep(0.2)
            await send({"type": "http.response.body", "body": b"late"})
        elif scope["path"] == "/impatient":
            raise TimeoutError
        await asyncio.sleep(30 if scope["path"] == "/hangs" else 0)

    transport = httpx2.ASGITransport(app=RequestTimeout(app, seconds=0.1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get("/hangs")
        assert (answer.status_code, answer.json()["code"]) == (503, "timed_out")
        assert (await http.get("/streams")).text == "late"
        with pytest.raises(TimeoutError):
            await http.get("/impatient")


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"name": NaN}', b'{"name": "a", "name": "b"}', b"[" * 1000 + b"]" * 1000, rb'{"name": "\ud800"}'],
)
async def test_ambiguous_json_is_refused_before_any_route(plane: Plane, body: bytes) -> None:
    ana = await plane.register()
    answer = await ana.http.post("/v1/agents", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


async def test_a_large_body_is_refused_unread(plane: Plane) -> None:
    sent = 0

    async def chunks() -> Any:
        nonlocal sent
        for _ in range(160):
            sent += 65_536
            yield b"x" * 65_536

    ana = await plane.register()
    declared = await ana.http.post("/v1/agents", content=chunks(), headers={**JSON, "content-length": str(10_485_760)})
    assert (declared.status_code, declared.json()["code"]) == (413, "too_large")
    assert sent == 0
    undeclared = await ana.http.post("/v1/agents", content=chunks(), headers=JSON)
    assert undeclared.status_code == 413
    assert sent < 1_200_000
    broken = await ana.http.post("/v1/agents", content=b"{}", headers={**JSON, "content-length": "many"})
    assert broken.status_code == 400


async def test_json_without_its_type_is_not_taken(plane: Plane) -> None:
    """A browser can send text/plain across origins without asking; it must not count as JSON."""
    ana = await plane.register()
    answer = await ana.http.post("/v1/agents", content=b'{"name": "x"}', headers={"content-type": "text/plain"})
    assert answer.status_code == 422


async def test_unknown_hosts_are_refused(plane: Plane) -> None:
    answer = await plane.client().get("/health", headers={"host": "rebind.evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host")
    assert (await plane.client().get("/health", headers={"host": "localhost:8000"})).status_code == 200
    assert (await plane.client().get("/health", headers={"host": "[::1]:8000"})).status_code == 200


async def test_a_request_names_one_host(plane: Plane) -> None:
    two = [("host", "127.0.0.1"), ("host", "evil.example")]
    assert (await plane.client().get("/health", headers=two)).status_code == 400


async def test_wildcard_hosts(tmp_path: Path) -> None:
    async with running(tmp_path / "home", allowed_hosts=("*.example.org", "mutx.io")) as plane:
        for host, status in (("a.example.org", 200), ("example.org", 400), ("MUTX.io:443", 200), ("evil-mutx.io", 400)):
            assert (await plane.client().get("/health", headers={"host": host})).status_code == status


async def test_cors_is_off_unless_asked_for(plane: Plane, tmp_path: Path) -> None:
    origin = {"origin": "https://board.example.org"}
    assert "access-control-allow-origin" not in (await plane.client().get("/health", headers=origin)).headers
    async with running(tmp_path / "other", cors_origins=(origin["origin"],)) as open_plane:
        answer = await open_plane.client().get("/health", headers=origin)
        assert answer.headers["access-control-allow-origin"] == origin["origin"]
        limited = await open_plane.client().get("/v1/agents", headers=origin)
        shown = set(limited.headers["access-control-expose-headers"].split(", "))
        assert shown >= {name for name in limited.headers if name.startswith(("ratelimit-", "x-request-id"))} != set()
        other = await open_plane.client().get("/health", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_callers_are_throttled_one_by_one(tmp_path: Path) -> None:
    async with running(tmp_path / "home", rate_limit_requests=3) as plane:
        ana, bob = await plane.register(), await plane.register("bob@example.org", "Bob")
        statuses = [(await ana.http.get("/v1/agents")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]  # /v1/auth/me was the first
        refused = await ana.http.get("/v1/agents")
        assert refused.json()["code"] == "rate_limited"
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert (await bob.http.get("/v1/agents")).status_code == 200
        plane.clock.advance(int(refused.headers["retry-after"]))
        assert (await ana.http.get("/v1/agents")).status_code == 200
        assert {(await plane.client().get("/health")).status_code for _ in range(10)} == {200}


async def test_signing_in_is_throttled_by_address(tmp_path: Path) -> None:
    async with running(tmp_path / "home", auth_rate_limit_requests=2) as plane:
        body = {"email": "ana@example.org", "password": "guess"}
        near = plane.client(address="203.0.113.9")
        assert [(await near.post("/v1/auth/login", json=body)).status_code for _ in range(3)] == [401, 401, 429]
        assert (await plane.client(address="203.0.113.10").post("/v1/auth/login", json=body)).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"x-request-id": "a-sane-name-1"}], ids=["short way", "full way"])
async def test_hot_doors_stand_before_the_router(tmp_path: Path, headers: dict[str, str]) -> None:
    seen: list[tuple[Caller, Any]] = []

    async def run(verb: str, body: Any, caller: Caller) -> dict[str, Any]:
        seen.append((caller, body))
        return {"verb": verb}

    doors = {"/v1/governance/decide": HotRoute("decide", run)}
    async with running(tmp_path / "home", doors=doors, rate_limit_requests=2) as plane:
        ana = await plane.register()
        for _ in range(5):  # their own limit counts, not the general one
            answer = await ana.http.post("/v1/governance/decide", json={"n": 1}, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"verb": "decide"})
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-request-id"]
        assert (seen[0][0].user_id, seen[0][1]) == (ana.me["id"], {"n": 1})
        broken = await ana.http.post("/v1/governance/decide", content=b"{", headers=headers)
        assert (broken.status_code, broken.json()["code"]) == (400, "malformed_body")
        nobody = await plane.client("mutx_live_nothing").post("/v1/governance/decide", json={}, headers=headers)
        assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthenticated")
        elsewhere = await ana.http.post("/v1/governance/decide", json={}, headers=headers | {"host": "evil.example"})
        assert elsewhere.status_code == 400
        both = [*headers.items(), ("host", "evil.example"), ("host", "127.0.0.1")]
        assert (await ana.http.post("/v1/governance/decide", json={}, headers=both)).status_code == 400
        assert len(seen) == 5
        assert (await plane.client().get("/v1/governance/decide")).status_code == 405
        text = (await plane.client().get("/metrics")).text
        assert 'http_requests_total{method="POST",path="/v1/governance/decide",status="200"} 5.0' in text


async def test_the_hot_limit_holds_on_the_short_way(tmp_path: Path) -> None:
    async def run(verb: str, body: Any, caller: Caller) -> dict[str, Any]:
        return {}

    doors = {"/v1/governance/decide": HotRoute("decide", run)}
    async with running(tmp_path / "home", doors=doors, governance_rate_limit_requests=3) as plane:
        ana = await plane.register()
        statuses = [(await ana.http.post("/v1/governance/decide", json={})).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        big = await ana.http.post("/v1/governance/decide", content=b"x" * 2_000_000)
        assert big.status_code in {413, 429}


async def test_a_stale_credential_does_not_stop_a_public_operation(plane: Plane) -> None:
    await plane.register()
    body = {"email": "ana@example.org", "password": PASSWORD}
    assert (await plane.client("stale").post("/v1/auth/login", json=body)).status_code == 200


async def test_a_store_that_cannot_answer_is_503_and_not_anonymous(plane: Plane) -> None:
    ana = await plane.register()
    plane.services.auth.callers.revoke()
    await plane.services.database.stop()
    plane.services.database.path.write_bytes(b"not a database" * 100)
    answer = await ana.http.get("/v1/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_verified_callers_cost_one_look_until_something_is_revoked(plane: Plane) -> None:
    ana = await plane.register()
    token = ana.tokens["access_token"]
    caller = plane.identities.cached(token)
    assert caller is not None
    assert caller.user_id == ana.me["id"]
    plane.services.auth.callers.revoke()
    assert plane.identities.cached(token) is None
    await ana.http.get("/v1/auth/me")
    assert plane.identities.cached(token) is not None
    plane.clock.advance(61)
    assert plane.identities.cached(token) is None


async def test_simultaneous_registrations_make_one_account(plane: Plane) -> None:
    body = {"email": "ana@example.org", "name": "Ana", "password": PASSWORD}
    answers = await asyncio.gather(*(plane.client().post("/v1/auth/register", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_traces_go_on_from_the_callers(plane: Plane) -> None:
    seen: dict[str, Any] = {}

    async def door(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    for parent, trace_id in (
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
        (b"00-zero-zero-00", None),
    ):
        seen.clear()
        headers = [(b"traceparent", parent), (b"tracestate", b"a=b")]
        await Tracing(door)({"type": "http", "headers": headers}, _nothing, _sent)
        assert seen.get("mutx.trace_id") == trace_id


async def _nothing() -> Any:
    return {"type": "http.disconnect"}


async def _sent(message: Any) -> None:
    json.dumps(message, default=str)


def layers_of(plane: Plane) -> list[Middleware]:
    """As the app has them, with metrics of their own."""
    services = replace(plane.services, registry=CollectorRegistry())
    limiters, metrics = local_limiters(plane.settings, plane.clock), HttpMetrics(services.registry)
    return middleware(services, plane.settings, plane.identities, {}, limiters, metrics)


async def test_what_is_no_http_request_passes_every_layer_untouched(plane: Plane) -> None:
    seen: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    _, *full = layers_of(plane)
    for layer in full:
        scope = {"type": "lifespan"}
        await layer.cls(inner, *layer.args, **layer.kwargs)(scope, _nothing, _sent)
        assert seen.pop() == ({"type": "lifespan"}, _nothing, _sent), layer.cls


async def test_the_order_of_the_edge_is_the_documented_one(tmp_path: Path) -> None:
    async with running(tmp_path / "home", cors_origins=("https://board.example.org",)) as plane:
        layers = [layer.cls.__name__ for layer in layers_of(plane)]
    documented = ["TrustedHosts", "CORSMiddleware", "SecurityHeaders", "Doorkeeper", "Authenticate", "RateLimit"]
    documented += ["Tracing", "Metrics"]
    assert [name for name in layers if name in documented] == documented
    assert layers.index("RequestId") < layers.index("TrustedHosts")


async def test_a_failed_hot_request_is_in_the_log_under_its_name(tmp_path: Path) -> None:
    async def run(verb: str, body: Any, caller: Caller) -> dict[str, Any]:
        raise RuntimeError("broken")

    async with running(tmp_path / "home", doors={"/v1/governance/decide": HotRoute("decide", run)}) as plane:
        ana = await plane.register()
        with capture_logs() as logs:
            answer = await ana.http.post("/v1/governance/decide", json={})
        assert answer.status_code == 500
        assert answer.headers["x-request-id"] in {line.get("request_id") for line in logs}
        tracestate = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "a=b"}
        assert (await ana.http.get("/v1/agents", headers=tracestate)).status_code == 200
