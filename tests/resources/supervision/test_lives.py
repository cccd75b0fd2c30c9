"""Real children of a real control plane: how they start, crash, end, and what is left of them (nothing)."""

import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mutx.services.faramesh_supervisor.supervisor import Launch
from tests.resources.supervision.desk import AT, Desk, all_gone, desk, eventually, is_there


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as made:
        yield made


async def deployments(here: Desk) -> dict[str, float]:
    """What the metrics say of them, but for the states that none is in."""
    text = (await here.http.get("/metrics")).text
    said = dict(re.findall(r"^mutx_deployments_(.+) (\S+)$", text, re.MULTILINE))
    return {name: float(value) for name, value in said.items() if float(value)}


async def test_an_agent_is_started_shown_restarted_and_stopped(here: Desk) -> None:
    agent = await here.agent()
    begun = await here.start(agent, "waits", env={"REGION": "north"})
    assert (begun["state"], begun["healthy"], begun["env_keys"]) == ("running", True, ["REGION"])
    assert is_there(begun["pid"])
    assert "ready north" in await here.until_said(agent, "ready")
    assert (await here.http.get(f"/v1/agents/{agent}/status")).json()["status"] == "running"

    running = {"total": 1, "running": 1, 'by_status{status="running"}': 1}
    assert await deployments(here) == running

    again = await here.do(agent, "restart")
    assert again["state"] == "running"
    assert again["pid"] != begun["pid"]
    assert not is_there(begun["pid"])
    assert "north" not in str(again), "what an environment holds is shown to nobody"
    await eventually(lambda: len(here.noted("waits", "started")) == 2)

    stopped = await here.do(agent, "stop", timeout=10)
    assert (stopped["state"], stopped["pid"], stopped["last_exit_code"]) == ("stopped", None, -signal.SIGTERM)
    await all_gone(here.noted("waits", "started"))
    assert await deployments(here) == {"total": 1, 'by_status{status="stopped"}': 1}
    assert (await here.http.get(f"/v1/agents/{agent}/status")).json()["status"] == "stopped"
    assert (await here.do(agent, "stop"))["state"] == "stopped", "stopping again is no mistake"

    by_name = await here.http.post(f"{AT}/stop", json={"agent_id": agent})
    assert by_name.json()["state"] == "stopped"
    assert (await here.do(agent, "restart"))["state"] == "running"
    listed = (await here.http.get(AT)).json()
    assert [one["agent_id"] for one in listed["items"]] == [agent]
    status = (await here.http.get(f"{AT}/status")).json()
    assert (status["enabled"], status["running"], status["agents"]) == (True, True, {"running": 1})
    profiles = (await here.http.get(f"{AT}/profiles")).json()
    assert next(one for one in profiles if one["name"] == "waits")["env_keys"] == ["REGION", "SHOP_KEY"]


async def test_whoever_ignores_term_is_killed_with_its_whole_family(here: Desk) -> None:
    agent = await here.agent()
    await here.start(agent, "stubborn")
    await here.until_said(agent, "ready")
    family = here.noted("stubborn", "family")
    assert len(family) == 3
    assert len({os.getsid(pid) for pid in family}) == 2, "one has left the group"
    stopped = await here.do(agent, "stop", timeout=0.2)
    assert (stopped["state"], stopped["last_exit_code"]) == ("stopped", -signal.SIGKILL)
    await all_gone(family)


async def test_whoever_ends_well_is_not_restarted_and_leaves_nobody(here: Desk) -> None:
    agent = await here.agent()
    await here.start(agent, "finishes")
    ended = await here.until(agent, state="stopped")
    assert (ended["last_exit_code"], ended["restart_count"], ended["healthy"]) == (0, 0, True)
    assert "done" in await here.said(agent)
    await all_gone(here.noted("finishes", "family"))


async def test_a_crash_is_followed_by_a_restart(here: Desk) -> None:
    agent = await here.agent()
    await here.start(agent, "crashes-once")
    running = await here.until(agent, state="running", restart_count=1)
    assert running["last_exit_code"] == -signal.SIGKILL
    await eventually(lambda: len(here.noted("crashes-once", "started")) == 2)
    scraped = (await here.http.get("/metrics")).text
    assert "mutx_supervised_restarts_total 1.0" in scraped
    assert "mutx_supervised_crashes_total 1.0" in scraped


async def test_too_many_crashes_are_final_until_somebody_starts_it(tmp_path: Path) -> None:
    async with desk(tmp_path, supervision_max_restarts=2) as here:
        agent = await here.agent()
        await here.start(agent, "crashes")
        failed = await here.until(agent, state="failed", restart_count=2)
        assert failed["last_error"] == "it ended with status 3"
        assert not failed["healthy"]
        assert len(here.noted("crashes", "started")) == 3
    async with desk(tmp_path, supervision_max_restarts=2) as here:
        later = await here.status(agent)
        assert (later["state"], later["restart_count"]) == ("failed", 2), "counts outlive the control plane"
        await here.start(agent, "crashes")
        await here.until(agent, state="failed", restart_count=2)
        assert len(here.noted("crashes", "started")) == 6


async def test_who_ends_before_its_start_is_on_record_is_known_to_have_ended_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path, supervision_max_restarts=0) as here:
        supervisor = here.plane.services.supervisor
        assert supervisor is not None
        launched = supervisor.launch

        async def slowly(launch: Launch) -> int:
            pid = await launched(launch)
            await eventually(lambda: launch.about.launch_id not in supervisor.children)
            return pid

        monkeypatch.setattr(supervisor, "launch", slowly)
        crashing, finishing = await here.agent("crashing"), await here.agent("finishing")
        await here.http.post(f"{AT}/start", json={"agent_id": crashing, "profile": "crashes"})
        failed = await here.until(crashing, state="failed")
        assert (failed["last_error"], failed["last_exit_code"]) == ("it ended with status 3", 3)
        await here.http.post(f"{AT}/start", json={"agent_id": finishing, "profile": "finishes"})
        assert (await here.until(finishing, state="stopped"))["last_exit_code"] == 0


async def test_a_program_that_is_not_there_fails_and_says_so(tmp_path: Path) -> None:
    more = {"absent": {"command": ["/no/such/program"]}}
    async with desk(tmp_path, more_profiles=more, supervision_max_restarts=1) as here:
        agent = await here.agent()
        await here.start(agent, "absent")
        failed = await here.until(agent, state="failed", restart_count=1)
        assert "cannot start /no/such/program: No such file" in failed["last_error"]


async def test_a_flood_of_secrets_neither_stops_the_child_nor_is_kept(here: Desk) -> None:
    agent = await here.agent()
    await here.start(agent, "floods", env={"SHOP_KEY": "quiet-horse-battery"})
    await eventually(lambda: here.noted("floods", "started"))
    said = await here.until_said(agent, "left out")
    assert not any("hunter2" in line or "quiet-horse" in line for line in said)
    files = list((here.plane.settings.home / "supervised" / "logs").iterdir())
    assert not any(b"hunter2" in file.read_bytes() for file in files)
    assert b"quiet-horse" not in b"".join(
        path.read_bytes() for path in here.plane.settings.home.rglob("*") if path.is_file()
    ), "at rest it is sealed"


async def test_a_deleted_agent_is_ended(here: Desk) -> None:
    agent = await here.agent()
    begun = await here.start(agent, "waits")
    assert (await here.http.delete(f"/v1/agents/{agent}")).status_code == 204
    await all_gone([begun["pid"]])


async def test_a_killed_keeper_takes_its_child_along_and_is_replaced(here: Desk) -> None:
    agent = await here.agent()
    begun = await here.start(agent, "stubborn")
    await here.until_said(agent, "ready")
    family = here.noted("stubborn", "family")
    supervisor = here.plane.services.supervisor
    assert supervisor is not None
    (child,) = supervisor.children.values()
    assert supervisor.owner_of(family[-1]) == child.about
    assert supervisor.owner_of(os.getpid()) is None
    os.kill(child.keeper.pid, signal.SIGKILL)
    await all_gone([begun["pid"], *family])
    after = await here.until(agent, state="running", restart_count=1)
    assert after["last_exit_code"] is None
