"""kill -9 of a real `mutx up` while decisions stream in: what was answered is there, and what waits still waits."""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mutx.services.signing import verify_file
from tests.faults.process import Up
from tests.faults.world import call, post

ROUNDS = 20
STREAMS = 4

POLICY = """
name: house
rules:
  - {id: reads, match: {tool: read}, effect: allow}
  - {id: pay, match: {tool: pay}, effect: step_up, timeout: 2h}
"""

Acknowledged = dict[str, list[str]]
"""Session -> receipts, in the order in which they were answered."""


@pytest.mark.timeout(1200)  # twenty starts, on a machine that may be busy
async def test_twenty_kills(tmp_path: Path) -> None:
    home, answered, chance = tmp_path / "home", {f"s{n}": [] for n in range(STREAMS)}, random.Random(7)
    with Up(home) as up:
        async with up.operator() as operator:
            await post(operator, "/v1/policies", {"name": "house", "document": POLICY})
            waiting = await post(operator, "/v1/governance/decide", call("pay", amount=5, _session_id="waits"))
    for _ in range(ROUNDS):
        with Up(home) as up:
            async with up.operator() as operator:
                await assert_waits(operator, waiting)
                await stream_until_killed(up, operator, answered, chance.randrange(5, 60))
    with Up(home) as up:
        async with up.operator() as operator:
            await assert_waits(operator, waiting)
            for session, receipts in answered.items():
                await assert_kept(operator, tmp_path, session, receipts)
            released = {"request_id": waiting["approval"]["request_id"], "verdict": "approve"}
            assert (await post(operator, "/v1/governance/resolve", released))["effect"] == "allow"


async def stream_until_killed(up: Up, operator: httpx2.AsyncClient, answered: Acknowledged, enough: int) -> None:
    """Every stream decides and concludes as fast as it can; after `enough` answers the server is killed under them."""
    reached = asyncio.Event()
    wanted = sum(map(len, answered.values())) + enough

    def note(session: str, answer: dict[str, Any]) -> None:
        answered[session].append(answer["receipt_id"])
        if sum(map(len, answered.values())) >= wanted:
            reached.set()

    async def stream(session: str) -> None:
        while True:
            decided = await post(operator, "/v1/governance/decide", call("read", _session_id=session))
            note(session, decided)
            done = {"action_id": decided["action_id"], "status": "executed", "result": "x" * 500}
            note(session, await post(operator, "/v1/governance/conclude", done))

    streams = [asyncio.ensure_future(stream(session)) for session in answered]
    await reached.wait()
    up.process.kill()
    for ended in await asyncio.gather(*streams, return_exceptions=True):
        assert isinstance(ended, httpx2.TransportError)


async def assert_waits(operator: httpx2.AsyncClient, waiting: dict[str, Any]) -> None:
    """Still pending, with the deadline it was born with."""
    standing = (await operator.get(f"/v1/governance/actions/{waiting['action_id']}")).json()
    assert standing["effect"] == "step_up"
    assert standing["approval"]["status"].lower() == "pending"
    assert standing["approval"]["expires_at"] == waiting["approval"]["expires_at"]


async def assert_kept(operator: httpx2.AsyncClient, folder: Path, session: str, answered: list[str]) -> None:
    """Every answered receipt is in the session's chain, in its order, and the chain verifies offline."""
    kept: list[str] = []
    while True:
        page = await operator.get(f"/v1/security/receipts/session/{session}", params={"limit": 100, "after": len(kept)})
        found = [receipt["receipt_id"] for receipt in page.json()["receipts"]]
        if not found:
            break
        kept += found
    assert set(answered) <= set(kept)
    assert [receipt for receipt in kept if receipt in set(answered)] == answered
    export, keys = folder / f"{session}.jsonl", folder / "keys.json"
    exported = await operator.get("/v1/security/receipts/export", params={"session_id": session})
    export.write_bytes(exported.content)
    keys.write_bytes((await operator.get("/v1/security/keys")).content)
    report = verify_file(export, [str(keys)])
    assert report.verdict == "verified", report
