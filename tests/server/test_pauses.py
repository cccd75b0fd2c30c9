"""An agent whose calls fail, at a whole control plane with its own workers."""

import asyncio
from pathlib import Path

from mutx.governance.types import Door
from tests.server.doors.rigs import RIGS, Json, Rig

DEADLINE = 120.0


async def failing(rig: Rig, number: int) -> Json:
    answer = await rig.decide("read_file", f"s{number}", path="notes")
    if answer["decision"] == "allow":
        await rig.call("conclude", action_id=answer["action_id"], status="error", error="it broke")
    return answer


async def test_it_is_denied_soon_and_allowed_again_once_resumed(tmp_path: Path) -> None:
    async with RIGS[Door.HTTP](tmp_path / "home") as rig, asyncio.timeout(DEADLINE):
        for number in range(20):
            assert (await failing(rig, number))["decision"] == "allow"
        while (answer := await rig.decide("read_file", "later", path="notes"))["decision"] == "allow":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert answer["reason_code"] == "agent_paused"
        resumed = await rig.rest.post(f"/v1/guardrails/agents/{rig.agent_id}/resume")
        assert resumed.json()["paused"] is False
        while (answer := await rig.decide("read_file", "after", path="notes"))["decision"] != "allow":
            assert answer["reason_code"] == "agent_paused"
            await asyncio.sleep(0.1)
