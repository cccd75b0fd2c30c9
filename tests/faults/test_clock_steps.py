"""The machine's clock steps: what expired stays expired, what waits expires once, receipts stay in order."""

import time

import pytest
from msgspec import Struct

from tests.faults.world import World, assert_refused

HOUR = 3600.0


class Steps(Struct):
    """How far the machine's clock is off."""

    seconds: float = 0.0


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    made, real = Steps(), time.time
    monkeypatch.setattr("mutx.kit.clock.time.time", lambda: real() + made.seconds)
    return made


async def test_forwards(steps: Steps, world: World) -> None:
    """A permit and a request run out; a new action is decided at the new time."""
    allowed, waiting = await world.decide("read"), await world.decide("pay", amount=5)
    steps.seconds = HOUR / 4
    expired = {"permit": allowed["permit"], "tool_args": {}}
    token = await world.plane.local_token()
    world.operator.headers["authorization"] = f"Bearer {token}"
    assert_refused(await world.operator.post("/v1/governance/redeem", json=expired), 409, "permit_refused")
    verdict = {"request_id": waiting["approval"]["request_id"], "verdict": "approve"}
    assert_refused(await world.operator.post("/v1/governance/resolve", json=verdict), 409, "already_resolved")
    await world.plane.services.pipeline.sweep()
    standing = (await world.operator.get(f"/v1/governance/actions/{waiting['action_id']}")).json()
    assert (standing["effect"], standing["reason_code"]) == ("deny", "approval_expired")
    assert (await world.decide("read"))["effect"] == "allow"


async def test_backwards(steps: Steps, world: World) -> None:
    """Nothing un-expires, and receipts keep their order."""
    steps.seconds = HOUR
    world.operator.headers["authorization"] = f"Bearer {await world.plane.local_token()}"
    old = await world.decide("read")
    steps.seconds = HOUR + 120
    assert (await world.decide("read"))["effect"] == "allow"
    steps.seconds = -HOUR
    expired = {"permit": old["permit"], "tool_args": {}}
    assert_refused(await world.operator.post("/v1/governance/redeem", json=expired), 409, "permit_refused")
    assert (await world.decide("read"))["effect"] == "allow"
    receipts = (await world.operator.get("/v1/security/receipts/session/s")).json()["receipts"]
    times = [receipt["timestamp"] for receipt in receipts]
    assert len(times) == 3
    assert times == sorted(times)
