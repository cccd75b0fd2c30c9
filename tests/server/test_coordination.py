"""A control plane with Redis: killed in mid-flight, everything goes on, and the metrics say what is missing."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from mutx.governance.types import Door, Effect, ToolCall
from mutx.kit.errors import SetupError
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build
from tests.redis_server import RedisServer, until

POLICY = """
name: house
rules:
  - {id: reads, match: {tool: "read*"}, effect: allow}
  - {id: pay, match: {tool: pay}, effect: step_up}
"""


def sample(plane: ControlPlane, name: str) -> float | None:
    return plane.services.registry.get_sample_value(name)


async def test_redis_may_die_and_return(tmp_path: Path, redis_server: RedisServer) -> None:
    plane = await build(Settings(home=tmp_path / "home", redis_url=redis_server.url, rate_limit_requests=5))
    await plane.start()
    try:
        await until(lambda: sample(plane, "mutx_bus_connected") == sample(plane, "mutx_edge_limits_shared") == 1.0)
        headers = {"authorization": f"Bearer {await plane.local_token()}"}
        transport = httpx2.ASGITransport(plane.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as http:
            put = await http.put("/v1/policies/house", json={"name": "house", "document": POLICY})
            assert put.status_code == 200, put.text
            redis_server.kill()
            caller = plane.local_agent(Door.EMBEDDED)
            waiting = asyncio.create_task(_approved(plane, caller))
            for number in range(6):
                call = ToolCall(tool_name="read", agent_id="a", session_id="s", tool_args={"n": number})
                assert (await plane.services.pipeline.decide(call, caller)).effect is Effect.ALLOW
            await until(lambda: sample(plane, "mutx_bus_connected") == 0.0)
            await until(lambda: sample(plane, "mutx_edge_limits_shared") == 0.0)
            pending = (await http.get("/v1/approvals")).json()
            assert len(pending if isinstance(pending, list) else pending["items"]) == 1
            statuses = [(await http.get("/v1/agents")).status_code for _ in range(4)]
            assert statuses == [200, 200, 200, 429]  # this replica's own limit holds
            redis_server.start()
            await until(lambda: sample(plane, "mutx_bus_connected") == sample(plane, "mutx_edge_limits_shared") == 1.0)
            assert (await http.get("/v1/agents")).status_code == 429
            waiting.cancel()
    finally:
        await plane.stop()


async def _approved(plane: ControlPlane, caller: object) -> None:
    """An agent that asks, and waits for the answer."""
    call = ToolCall(tool_name="pay", agent_id="a", session_id="t")
    answer = await plane.services.pipeline.decide(call, caller)  # type: ignore[arg-type]
    await plane.verbs.call("wait", {"action_id": answer.action_id, "timeout": 60}, caller)  # type: ignore[arg-type]


async def test_a_start_does_not_need_redis(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.kill()
    plane = await build(Settings(home=tmp_path / "home", redis_url=redis_server.url))
    await plane.start()
    try:
        await until(lambda: sample(plane, "mutx_bus_connected") == 0.0)
        redis_server.start()
        await until(lambda: sample(plane, "mutx_bus_connected") == sample(plane, "mutx_edge_limits_shared") == 1.0)
    finally:
        await plane.stop()


async def test_an_address_that_is_none_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="REDIS_URL") as refused:
        await build(Settings(home=tmp_path / "home", redis_url="http://:secret@cache:6379"))
    assert "secret" not in str(refused.value)
