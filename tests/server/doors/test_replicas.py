"""Two control planes on one PostgreSQL and one set of keys: what one hears, the other acts on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mutx.kit.errors import PermitRefused
from mutx.server.settings import Settings
from mutx.server.wiring import ControlPlane, build
from tests.server.doors.rigs import HttpRig, agent_key, client_of


@asynccontextmanager
async def replica(home: Path, url: str) -> AsyncIterator[ControlPlane]:
    plane = await build(Settings(home=home, database_url=url))
    await plane.start()
    try:
        yield plane
    finally:
        await plane.stop()


@asynccontextmanager
async def rig(plane: ControlPlane, agent_id: str, token: str) -> AsyncIterator[HttpRig]:
    async with client_of(plane) as rest, client_of(plane, token) as agent:
        yield HttpRig(rest, agent_id, agent)


async def test_an_agent_may_speak_to_either_of_two_servers(tmp_path: Path, postgres_url: str) -> None:
    home = tmp_path / "home"
    async with replica(home, postgres_url) as one, replica(home, postgres_url) as two:
        async with client_of(one) as rest:
            agent_id, token = await agent_key(rest)
        async with rig(one, agent_id, token) as here, rig(two, agent_id, token) as there:
            first = await here.decide("read_file", path="a")
            second = await there.decide("read_file", path="b")
            third = await here.decide("read_file", path="c")
            assert [answer["seq"] for answer in (first, second, third)] == [1, 2, 3]

            asked = await here.decide("pay", amount=5)
            waiting = asyncio.create_task(here.call("wait", action_id=asked["action_id"], timeout=20))
            body = {"request_id": asked["approval"]["request_id"], "verdict": "approve"}
            assert (await there.rest.post("/v1/governance/resolve", json=body)).status_code == 200
            released = await asyncio.wait_for(waiting, 20)
            assert released["effect"] == "allow"

            spending = [
                side.call("redeem", permit=released["permit"], tool_args={"amount": 5}) for side in (here, there)
            ]
            results = await asyncio.gather(*spending, return_exceptions=True)
            assert [isinstance(result, PermitRefused) for result in results].count(True) == 1
            await there.call("conclude", action_id=asked["action_id"], status="executed", result="paid")
            assert (await here.call("status", action_id=asked["action_id"]))["outcome"] == "executed"
            assert [len(await side.receipts()) for side in (here, there)] == [6, 6]
