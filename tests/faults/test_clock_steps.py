"""The machine's clock steps: what expired stays expired, what waits expires once, receipts stay in order."""

import asyncio
import time
from pathlib import Path

import pytest
from msgspec import Struct

from tests.faults.world import POLICY, World, assert_refused, call, client, post, started

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


async def test_backwards_before_a_restart(steps: Steps, tmp_path: Path) -> None:
    """A permit that expired while nothing was recorded is dead after the restart as well, and a fresh one lives."""
    async with started(tmp_path) as plane, client(plane, await plane.local_token()) as operator:
        await post(operator, "/v1/policies", {"name": "house", "document": POLICY})
        old = await post(operator, "/v1/governance/decide", call("read"))
        steps.seconds = 120
        await written(tmp_path / "clock", after=time.time())
    steps.seconds = 0
    async with started(tmp_path) as plane, client(plane, await plane.local_token()) as operator:
        expired = {"permit": old["permit"], "tool_args": {}}
        assert_refused(await operator.post("/v1/governance/redeem", json=expired), 409, "permit_refused")
        fresh = await post(operator, "/v1/governance/decide", call("read"))
        good = {"permit": fresh["permit"], "tool_args": {}}
        assert (await post(operator, "/v1/governance/redeem", good))["redeemed_at"]


async def test_the_ledger_alone_holds_the_time(steps: Steps, tmp_path: Path) -> None:
    """The file with the time is lost, or holds none: what the ledger recorded still counts."""
    steps.seconds = HOUR
    async with started(tmp_path) as plane, client(plane, await plane.local_token()) as operator:
        await post(operator, "/v1/policies", {"name": "house", "document": POLICY})
        await post(operator, "/v1/governance/decide", call("read"))
        await written(tmp_path / "clock", after=0)
    steps.seconds = 0
    for content in (b"", b"soon", b"-5", b"9" * 30):
        (tmp_path / "clock").write_bytes(content)
        async with started(tmp_path) as plane:
            assert plane.services.clock.now() > time.time() + HOUR / 2


async def written(file: Path, *, after: float) -> None:
    """Until the file holds a later time."""
    for _ in range(200):
        if written_time(file) > after:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the time was not written")


def written_time(file: Path) -> float:
    return int(file.read_bytes()) / 1000 if file.exists() else 0.0
