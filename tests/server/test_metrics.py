"""The metrics catalogue: traffic moves every one of them, and nobody reads them who should not."""

import asyncio
import re
import socket
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mutx.kit.errors import SetupError
from mutx.resources.health.vitals import Vitals
from mutx.server.observing import attend
from mutx.server.scraping import ScrapeApp, serving
from mutx.server.settings import read_settings
from mutx.server.workers import Periodic, Workers
from tests.faults.world import World, inhabited, started
from tests.server.plane import Plane, running

CATALOGUE = {
    "http_requests",
    "http_request_duration_seconds",
    "http_request_size_bytes",
    "http_response_size_bytes",
    "http_connections_active",
    "db_pool_size",
    "db_pool_acquired",
    "db_pool_overflow",
    "db_query_duration_seconds",
    "mutx_agents_total",
    "mutx_agents_active",
    "mutx_deployments_total",
    "mutx_deployments_running",
    "mutx_deployments_by_status",
    "mutx_agent_tasks",
    "mutx_agent_task_duration_seconds",
    "mutx_queue_size",
    "mutx_api_calls",
    "mutx_errors",
    "mutx_background_monitor_consecutive_failures",
}
"""Of the technical reference."""


IDLE = {"idle": {"command": [sys.executable, "-c", "import time; time.sleep(1000)"]}}
SUPERVISED = "/v1/runtime/governance/supervised"


async def scrape(http: httpx2.AsyncClient) -> Mapping[str, float]:
    """The sum over all samples of each metric, without what Python adds of its own."""
    text = (await http.get("/metrics")).text
    return {
        family.name: sum(sample.value for sample in family.samples if not sample.name.endswith("_created"))
        for family in text_string_to_metric_families(text)
    }


async def agent_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent is deployed and runs, does one task, fails at another and leaves a third; a request breaks."""
    agent = {"agent_id": world.agent_id}
    deployed = await world.operator.post(f"{SUPERVISED}/start", json={**agent, "profile": "idle"})
    assert deployed.json()["state"] == "running", deployed.text
    await world.operator.post("/v1/agents/register", json={"name": "scout"})
    await world.operator.post("/v1/agents/heartbeat", json={**agent, "status": "running"})
    for success in (True, False, None):
        sent = await world.operator.post(f"/v1/agents/{world.agent_id}/commands", json={"action": "refresh"})
        if success is not None:
            report = {**agent, "command_id": sent.json()["command_id"], "success": success}
            for _ in range(2):  # said twice, counted once
                assert (await world.operator.post("/v1/agents/commands/acknowledge", json=report)).is_success
    monkeypatch.setattr("mutx.resources.agents.service.Agents.list", None)
    assert (await world.operator.get("/v1/agents")).status_code == 500


async def test_every_metric_of_the_catalogue_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    often = asyncio.Event()

    async def fails() -> None:
        if workers.failures.get("broken", 0) >= 3:
            often.set()
        raise RuntimeError

    async with AsyncExitStack() as stack:
        plane = await stack.enter_async_context(started(tmp_path / "home", supervision_profiles=IDLE))
        world = await stack.enter_async_context(inhabited(plane))
        before = await scrape(world.operator)
        await agent_work(world, monkeypatch)
        workers = Workers((Periodic("broken", fails, 0.001),))
        workers.start()
        await often.wait()
        await workers.stop()
        attend(plane.app.state, Vitals(failures=lambda: workers.failures, home=tmp_path))
        for _ in range(6):
            await (await stack.enter_async_context(plane.services.database.read())).connection()
        after = await scrape(world.operator)
        health = (await world.operator.get("/health")).json()
    assert after.keys() >= CATALOGUE
    always = {"db_pool_size", "http_connections_active"}
    assert {name for name in CATALOGUE - always if after[name] <= before.get(name, 0.0)} == set()
    assert all(after[name] > 0 for name in always)
    assert (after["mutx_agent_tasks"], after["mutx_queue_size"], after["mutx_agents_active"]) == (2, 1, 2)
    assert after["db_pool_acquired"] >= 6  # what runs beside requests may hold some as well
    assert after["db_pool_overflow"] >= 2
    assert health["components"]["monitor"]["status"] == "unhealthy"
    assert "broken" in health["components"]["monitor"]["reason"]


async def test_a_server_that_others_reach_is_scraped_with_a_token(tmp_path: Path) -> None:
    public = {"host": "0.0.0.0", "allowed_hosts": ("mutx.example.org", "127.0.0.1")}
    async with running(tmp_path / "home", **public) as plane:
        ana = await plane.register()
        refused = await ana.http.get("/metrics")
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
        assert "METRICS_TOKEN" in refused.json()["message"]
    async with running(tmp_path / "other", **public, metrics_token="scrape-me-please") as plane:
        assert (await plane.client().get("/metrics")).status_code == 401
        assert (await plane.client("scrape-me-pleasf").get("/metrics")).status_code == 401
        assert "http_requests_total" in (await plane.client("scrape-me-please").get("/metrics")).text


def test_a_token_that_is_easily_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="at least 16 characters"):
        read_settings(home=tmp_path, metrics_token="prometheus")


async def test_metrics_have_a_port_of_their_own_if_wanted(plane: Plane) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with serving(ScrapeApp(plane.app.state.scrape), "127.0.0.1", port), httpx2.AsyncClient() as http:
        for _ in range(100):
            try:
                answer = await http.get(f"http://127.0.0.1:{port}/metrics")
            except httpx2.ConnectError:
                await asyncio.sleep(0.05)
                continue
            break
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "mutx_agents_total 0.0" in answer.text
        elsewhere = await http.get(f"http://127.0.0.1:{port}/v1/agents")
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "not_found")


async def test_a_disk_that_fills_up_shows(plane: Plane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attend(plane.app.state, Vitals(home=tmp_path, failures=lambda: {"sweep": 1}, sinks=("audit",)))
    monkeypatch.setattr("mutx.resources.health.checks.FREE_BYTES", 2**70)
    health = (await plane.client().get("/health")).json()
    assert health["status"] == "degraded"
    assert {name: part["status"] for name, part in health["components"].items()} == {
        "database": "healthy",
        "signer": "healthy",
        "disk": "unhealthy",
        "queue": "healthy",
        "monitor": "healthy",
    }
    assert (await plane.client().get("/ready")).status_code == 200


async def test_events_that_no_sink_takes_show(plane: Plane) -> None:
    attend(plane.app.state, Vitals(sinks=("audit", "otlp")))
    ana = await plane.register()
    await ana.http.post("/v1/api-keys", json={"name": "ci"})
    assert 'mutx_outbox_waiting{sink="otlp"}' in (await plane.client().get("/metrics")).text
    plane.clock.advance(301)
    queue = (await plane.client().get("/health")).json()["components"]["queue"]
    assert queue["status"] == "unhealthy"
    assert "wait for" in queue["reason"]


async def test_the_guide_lists_every_metric_and_no_other(plane: Plane) -> None:
    attend(plane.app.state, Vitals(sinks=("audit",)))
    page = (Path(__file__).parents[2] / "docs" / "observability.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `([a-z_]+)` \| (?:counter|gauge|histogram) \|", page, re.MULTILINE))
    text = (await plane.client().get("/metrics")).text
    exported = set(re.findall(r"^# TYPE (\w+) (?:counter|gauge|histogram)$", text, re.MULTILINE))
    assert {name for name in exported if not name.endswith("_created")} <= listed
    source = "".join(path.read_text("utf-8") for path in (Path(__file__).parents[2] / "src").rglob("*.py"))
    assert not [name for name in listed if f'"{name}"' not in source], "there are rows of metrics that do not exist"
