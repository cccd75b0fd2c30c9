"""Two control planes on one PostgreSQL and one Redis are one to those who use them."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from mutx.governance.types import Door
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build
from tests.redis_server import RedisServer, until

POLICY = "name: house\nrules: [{id: pay, match: {tool: pay}, effect: step_up}]\n"
AUTH = 4


@asynccontextmanager
async def replica(home: Path, url: str, redis: str) -> AsyncIterator[ControlPlane]:
    given: dict[str, Any] = {"rate_limit_requests": 100_000, "auth_rate_limit_requests": AUTH}
    plane = await build(Settings(home=home, database_url=url, redis_url=redis, **given))
    await plane.start()
    try:
        sample = plane.services.registry.get_sample_value
        await until(lambda: sample("mutx_bus_connected") == sample("mutx_edge_limits_shared") == 1.0)
        yield plane
    finally:
        await plane.stop()


@asynccontextmanager
async def operator(plane: ControlPlane) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"authorization": f"Bearer {await plane.local_token()}"}
    transport = httpx2.ASGITransport(plane.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as http:
        yield http


def with_keys(home: Path, another: Path) -> Path:
    """Another home with the first one's keys, as an operator makes it."""
    shutil.copytree(home / "keys", another / "keys")
    return another


async def test_what_happens_on_one_is_known_to_the_other(
    postgres_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        replica(tmp_path / "a", postgres_url, redis_server.url) as one,
        replica(with_keys(tmp_path / "a", tmp_path / "b"), postgres_url, redis_server.url) as two,
        operator(one) as here,
        operator(two) as there,
    ):
        caller = two.local_agent(Door.EMBEDDED)
        call = {"tool_name": "pay", "agent_id": "a", "session_id": "s", "tool_args": {}}
        assert (await two.verbs.call("decide", call, caller))["decision"] == "deny"
        await here.put("/v1/policies/house", json={"name": "house", "document": POLICY})

        async def asked() -> dict[str, Any]:
            async with asyncio.timeout(20):
                while (answer := await two.verbs.call("decide", call, caller))["decision"] != "defer":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            return answer

        answer = await asked()
        waiting = asyncio.create_task(two.verbs.call("wait", {"action_id": answer["action_id"], "timeout": 60}, caller))
        approved = await here.post(f"/v1/approvals/{answer['approval']['request_id']}/approve", json={})
        assert approved.status_code == 200, approved.text
        assert (await asyncio.wait_for(waiting, 20))["decision"] == "allow"

        body = {"email": "ana@example.org", "password": "guess"}
        tried = [(await http.post("/v1/auth/login", json=body)).status_code for http in (here, there) * 3]
        assert tried == [401] * AUTH + [429] * 2
