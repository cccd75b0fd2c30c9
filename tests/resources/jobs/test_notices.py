"""A notice to approvers is a durable job: delivered, given up where it can be seen, and retried by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from mutx.governance.types import Door, ToolCall
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build
from mutx.services.jobs.model import Backoff
from tests.services.telemetry.receivers import http_receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
POLICY = "name: house\nrules: [{id: pay, match: {tool: pay}, effect: step_up}]\n"


@asynccontextmanager
async def plane_with(home: Path, monkeypatch: pytest.MonkeyPatch, **given: Any) -> AsyncIterator[ControlPlane]:
    """With little patience, so that a delivery is given up within a second."""
    monkeypatch.setattr("mutx.services.jobs.durable.Backoff", lambda: Backoff(2, 0.05, 2.0))
    plane = await build(Settings(home=home, rate_limit_requests=100_000, **given))
    await plane.start()
    try:
        yield plane
    finally:
        await plane.stop()


@asynccontextmanager
async def operator(plane: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"authorization": f"Bearer {await plane.local_token()}"}
    transport = httpx2.ASGITransport(plane.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as http:
        yield http


async def one(http: httpx2.AsyncClient, status: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            found = (await http.get("/v1/jobs", params={"status": status})).json()
            if found:
                assert len(found) == 1
                return dict(found[0])
            await asyncio.sleep(0.05)


async def test_from_a_question_to_a_retried_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_receiver() as received:
        received.status = 500
        given = {"approval_webhook_url": f"{received.url}/hook", "approval_webhook_secret": SecretStr(SECRET)}
        async with (
            plane_with(tmp_path / "home", monkeypatch, allow_private_webhooks=True, **given) as plane,
            operator(plane) as http,
        ):
            put = await http.put("/v1/policies/house", json={"name": "house", "document": POLICY})
            assert put.status_code == 200
            call = ToolCall(tool_name="pay", agent_id="a", session_id="s", tool_args={"iban": "DE00 1234"})
            await plane.services.pipeline.decide(call, plane.local_agent(Door.EMBEDDED))

            dead = await one(http, "dead")
            assert (dead["kind"], dead["error"]) == (
                "webhook",
                "the webhook answered 500; the notice is sent again later",
            )
            assert len(received.requests) == 2
            assert "DE00" not in str(dead)
            stranger = {"email": "eve@example.org", "name": "Eve", "password": "correct horse battery"}
            token = (await http.post("/v1/auth/register", json=stranger)).json()["access_token"]
            eve = {"authorization": f"Bearer {token}"}
            assert (await http.get("/v1/jobs", headers=eve)).json() == []
            assert (await http.post(f"/v1/jobs/{dead['id']}/retry", headers=eve)).status_code == 404
            assert (await http.get(f"/v1/jobs/{dead['id']}", headers=eve)).status_code == 404

            received.status = 200
            again = await http.post(f"/v1/jobs/{dead['id']}/retry")
            assert (again.status_code, again.json()["id"]) == (200, dead["id"])
            done = await one(http, "done")
            assert done["id"] == dead["id"]
            assert len({headers["webhook-id"] for _, headers, _ in received.requests}) == 1
            refused = await http.post(f"/v1/jobs/{dead['id']}/retry")
            assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
            assert (await http.get(f"/v1/jobs/{done['id']}")).json()["status"] == "done"


async def test_a_control_plane_in_memory_has_none_and_needs_no_engine() -> None:
    plane = await build(Settings(), memory=True)
    await plane.start()
    try:
        async with operator(plane) as http:
            assert (await http.get("/v1/jobs")).json() == []
            assert (await http.get("/v1/jobs/x")).status_code == 404
    finally:
        await plane.stop()


async def test_no_engine_is_launched_before_a_job_needs_it(tmp_path: Path) -> None:
    plane = await build(Settings(home=tmp_path / "home"))
    await plane.start()
    await plane.stop()
    assert not (tmp_path / "home" / "jobs.db").exists()
