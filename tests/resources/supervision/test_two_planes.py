"""Two control planes on one PostgreSQL: an agent is one of them's, and never runs twice."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.resources.supervision.desk import AT, Desk, all_gone, desk, eventually

LONG, SHORT = 30.0, 5.0
"""Leases. A short one still has to be longer than any stall of a busy machine, or agents move that should not."""


@asynccontextmanager
async def two(folder: Path, url: str, lease: float) -> AsyncIterator[tuple[Desk, Desk]]:
    given = {"database_url": url, "supervision_lease_seconds": lease, "supervision_shutdown_timeout": 2.0}
    async with desk(folder, "a", **given) as one:
        shutil.copytree(folder / "a" / "keys", folder / "b" / "keys")
        async with desk(folder, "b", **given) as other:
            yield one, other


async def test_an_agent_belongs_to_one_and_can_be_handled_at_either(tmp_path: Path, postgres_url: str) -> None:
    async with two(tmp_path, postgres_url, LONG) as (one, other):
        agent = await one.agent()
        wanted = {"agent_id": agent, "profile": "alone"}
        answers = await asyncio.gather(*(at.http.post(f"{AT}/start", json=wanted) for at in (one, other) * 4))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
        seen = [await at.status(agent) for at in (one, other)]
        assert seen[0] == seen[1]
        owner, stranger = (one, other) if seen[0]["host_id"] == _host(one) else (other, one)
        await eventually(lambda: one.noted("alone", "started"))
        assert (await stranger.http.get(f"{AT}/{agent}/logs")).status_code == 503, "they lie with the other one"

        again = await stranger.do(agent, "restart")
        assert (again["state"], again["host_id"]) == ("running", _host(owner))
        stopped = await stranger.do(agent, "stop", timeout=5)
        assert stopped["state"] == "stopped"
        await all_gone([again["pid"]])
        moved = await stranger.start(agent, "alone")
        assert moved["host_id"] == _host(stranger)
        await eventually(lambda: len(one.noted("alone", "started")) == 3)
        assert not one.noted("alone", "doubled")


async def test_one_that_is_not_heard_of_loses_its_agents_without_a_double(tmp_path: Path, postgres_url: str) -> None:
    async with two(tmp_path, postgres_url, SHORT) as (one, other):
        agent = await one.agent()
        begun = await one.start(agent, "alone")
        await eventually(lambda: one.noted("alone", "started"))
        supervisor = one.plane.services.supervisor
        assert supervisor is not None
        supervisor.running = False  # it hangs, or has lost its way to the database
        moved = await other.until(agent, host_id=_host(other), state="running")
        assert moved["restart_count"] >= 1
        await all_gone([begun["pid"]])
        await eventually(lambda: len(one.noted("alone", "started")) >= 2)
        supervisor.running = True  # and is back, with nothing to do
        await eventually(lambda: not supervisor.children)
        assert (await one.status(agent))["host_id"] == _host(other)
        assert not one.noted("alone", "doubled")


async def test_one_that_stops_hands_its_agents_over(tmp_path: Path, postgres_url: str) -> None:
    given = {"database_url": postgres_url, "supervision_lease_seconds": SHORT}
    async with desk(tmp_path, "a", **given) as other:
        shutil.copytree(tmp_path / "a" / "keys", tmp_path / "b" / "keys")
        async with desk(tmp_path, "b", **given) as one:
            agent = await one.agent()
            begun = await one.start(agent, "alone")
            await eventually(lambda: one.noted("alone", "started"))
        moved = await other.until(agent, host_id=_host(other), state="running")
        assert moved["pid"] != begun["pid"]
        await eventually(lambda: len(other.noted("alone", "started")) == 2)
        assert not other.noted("alone", "doubled")


def _host(at: Desk) -> str:
    supervisor = at.plane.services.supervisor
    assert supervisor is not None
    return supervisor.host_id
