"""What a healthy server says, and what a sick one says."""

from mutx.kit.errors import KeyUnusable
from tests.server.plane import Plane, on_both


@on_both
async def test_a_healthy_server(plane: Plane) -> None:
    http = plane.client()
    plane.clock.advance(3)
    health = (await http.get("/health")).json()
    assert (health["status"], health["database"], health["uptime_seconds"]) == ("healthy", "healthy", 3.0)
    assert set(health["components"]) == {"database", "signer"}
    assert health["schema_repairs_applied"] == []
    assert (await http.get("/ready")).json()["status"] == "ready"
    assert (await http.get("/")).json()["health"] == "/health"


async def test_a_server_that_cannot_write_is_alive_and_not_ready(plane: Plane) -> None:
    await plane.services.database.writer.stop()
    http = plane.client()
    assert (await http.get("/health")).json()["status"] == "degraded"
    ready = await http.get("/ready")
    assert (ready.status_code, ready.json()["code"]) == (503, "unavailable")
    assert ready.json()["details"]["components"]["database"]["status"] == "unhealthy"
    assert ready.headers["retry-after"] == "1"


async def test_a_server_that_cannot_sign_is_not_ready(plane: Plane, monkeypatch) -> None:
    def broken(message: bytes) -> bytes:
        raise KeyUnusable("the key went away; restore it")

    monkeypatch.setattr(plane.services.signer, "sign", broken)
    assert (await plane.client().get("/ready")).status_code == 503


@on_both
async def test_metrics_name_routes_by_template(plane: Plane) -> None:
    ana = await plane.register()
    agent = (await ana.http.post("/v1/agents", json={"name": "scout"})).json()["id"]
    await ana.http.get(f"/v1/agents/{agent}")
    await ana.http.get("/v1/nothing/here")
    answer = await plane.client().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.text
    assert 'http_requests_total{method="GET",path="/v1/agents/{agent_id}",status="200"} 1.0' in text
    assert 'http_requests_total{method="GET",path="unmatched",status="404"} 1.0' in text
    assert "mutx_agents_total 1.0" in text
    assert agent not in text
    for name in (
        "http_request_duration_seconds_bucket",
        "http_request_size_bytes_bucket",
        "http_response_size_bytes_bucket",
        "http_connections_active",
        "mutx_api_calls_total",
    ):
        assert name in text
