"""What happens to children when their control plane ends, in every way it can, and what the next one makes of them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from mutx.kit.ids import new_id
from mutx.server.supervision import supervision_config
from mutx.services.faramesh_supervisor import keeper as kept
from mutx.services.faramesh_supervisor.supervisor import About, FarameshSupervisor, Launch
from tests.postgres import free_port
from tests.resources.supervision.children import profiles
from tests.resources.supervision.desk import GENEROUS, PATIENCE, QUICK, Desk, all_gone, desk, eventually, is_there

ROOT = Path(__file__).parents[3]


class Killable(Desk, frozen=True):
    """`plane` is a process of its own here, and only to be killed."""

    def kill(self) -> None:
        process: subprocess.Popen[str] = self.plane  # type: ignore[assignment]
        process.kill()
        process.wait()


@asynccontextmanager
async def killable(folder: Path) -> AsyncIterator[Killable]:
    port = free_port()
    given = {**GENEROUS, **QUICK, "port": port, "supervision_profiles": profiles(folder / "programs")}
    command = [
        sys.executable,
        "-m",
        "tests.resources.supervision.control_plane",
        str(folder / "home"),
        json.dumps(given),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: ASYNC220 - to be killed
        assert process.stdout is not None
        try:
            token = ""
            async with asyncio.timeout(PATIENCE):
                while not token.startswith("eyJ"):  # its log comes first
                    token = (await asyncio.to_thread(process.stdout.readline)).strip()
            headers = {"authorization": f"Bearer {token}"}
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as http:
                await eventually(lambda: _answers(http))
                yield Killable(process, http, folder / "programs")  # type: ignore[arg-type]
        finally:
            process.kill()


async def _answers(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/health")).status_code == 200
    except httpx2.TransportError:
        return False


async def test_a_killed_control_plane_leaves_its_children_to_the_next_one(tmp_path: Path) -> None:
    async with killable(tmp_path) as first:
        agent, stubborn, crashed = await first.agent(), await first.agent("stubborn"), await first.agent("crashed")
        begun = await first.start(agent, "alone")
        await first.start(stubborn, "stubborn")
        fallen = await first.start(crashed, "waits")
        await first.until_said(stubborn, "ready")
        await eventually(lambda: first.noted("alone", "started"))
        first.kill()
    assert is_there(begun["pid"])
    os.kill(fallen["pid"], signal.SIGKILL)
    await all_gone([fallen["pid"]])
    async with desk(tmp_path) as second:
        adopted = await second.until(agent, state="running")
        assert adopted["pid"] == begun["pid"], "the same process"
        again = await second.until(crashed, state="running", restart_count=1)
        assert again["last_exit_code"] == -signal.SIGKILL, "its keeper saw how it ended"
        assert second.noted("alone", "started") == [begun["pid"]]
        assert (await second.do(stubborn, "stop", timeout=0.1))["state"] == "stopped"
        await all_gone(second.noted("stubborn", "family"))
        restarted = await second.do(agent, "restart")
        assert restarted["pid"] != begun["pid"]
        await eventually(lambda: len(second.noted("alone", "started")) == 2)
        assert not second.noted("alone", "doubled")
        metrics = (await second.http.get("/metrics")).text
        assert "mutx_supervised_adopted_total 2.0" in metrics


async def test_a_control_plane_that_stops_takes_its_children_along_and_brings_them_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as first:
        agent = await first.agent()
        begun = await first.start(agent, "alone")
    assert not is_there(begun["pid"])
    async with desk(tmp_path) as second:
        after = await second.until(agent, state="running")
        assert (after["restart_count"], after["last_exit_code"]) == (0, -signal.SIGTERM), "that was no crash"
        await eventually(lambda: len(second.noted("alone", "started")) == 2)
        assert not second.noted("alone", "doubled")


async def test_children_may_be_kept_over_a_stop(tmp_path: Path) -> None:
    async with desk(tmp_path, supervision_keep_on_exit=True) as first:
        agent = await first.agent()
        begun = await first.start(agent, "alone")
    assert is_there(begun["pid"])
    async with desk(tmp_path) as second:
        assert (await second.until(agent, state="running"))["pid"] == begun["pid"]
    assert not is_there(begun["pid"])


async def test_a_launch_that_was_only_announced_is_made_once(tmp_path: Path) -> None:
    """Killed between the row and the process: the row names a launch that left nothing, or an empty folder."""
    async with desk(tmp_path) as first:
        agent = await first.agent()
        await first.start(agent, "alone")
        await eventually(lambda: first.noted("alone", "started"))
        await first.do(agent, "stop")
    async with desk(tmp_path, supervision_keep_on_exit=True) as second:
        reconciler = second.plane.supervision.reconciler
        supervisor = second.plane.services.supervisor
        assert reconciler is not None
        assert supervisor is not None
        supervisor.running = False  # from here on nobody brings anything about
        await second.start(agent, "alone")
        (row,) = await reconciler._rows()
        launch_id = new_id()

        async def announced(_: object, fresh: object) -> None:
            fresh.launch_id = launch_id  # type: ignore[attr-defined]

        assert await reconciler._record(row, announced)
        (tmp_path / "home" / "supervised" / "launches" / launch_id).mkdir()
    async with desk(tmp_path) as third:
        await third.until(agent, state="running")
        await eventually(lambda: len(third.noted("alone", "started")) == 2)
        assert not third.noted("alone", "doubled")
        assert (await third.status(agent))["restart_count"] == 0
        left = {path.name for path in (tmp_path / "home" / "supervised" / "launches").iterdir()}
        assert launch_id not in left


async def test_a_child_of_a_row_that_is_gone_is_ended(tmp_path: Path) -> None:
    async with desk(tmp_path, supervision_keep_on_exit=True) as first:
        agent = await first.agent()
        begun = await first.start(agent, "alone")
    stray = await _stray(first, tmp_path)
    async with desk(tmp_path) as second:
        await all_gone([stray])
        assert (await second.status(agent))["pid"] == begun["pid"]


async def _stray(of: Desk, folder: Path) -> int:
    """A child that no row knows of."""
    settings = of.plane.settings
    other = FarameshSupervisor(supervision_config(settings), folder / "home" / "supervised", "x")
    about = About(launch_id=new_id(), workspace_id="w", agent_id=new_id(), user_id="u")
    command = (sys.executable, "-c", "import time; time.sleep(1000)")
    pid = await other.launch(Launch(about=about, command=command, env=dict(os.environ)))
    for child in tuple(other.children.values()):
        other._forget(child)
    return pid


async def test_a_keeper_that_hears_nothing_ends_its_child(tmp_path: Path) -> None:
    """Beside other control planes: one of them may have the agent by then."""
    async with desk(tmp_path) as here:
        config = supervision_config(here.plane.settings)
    silent = type(config)(**{name: getattr(config, name) for name in config.__struct_fields__} | {"lease_seconds": 1.0})
    supervisor = FarameshSupervisor(silent, tmp_path / "other", "x")
    await supervisor.open()
    about = About(launch_id=new_id(), workspace_id="w", agent_id=new_id(), user_id="u")
    command = (sys.executable, "-c", "import time; time.sleep(1000)")
    pid = await supervisor.launch(Launch(about=about, command=command, env=dict(os.environ)))
    await all_gone([pid])
    await eventually(lambda: not supervisor.children)
    report = supervisor.report(about.launch_id)
    assert report is not None
    assert (report.reason, report.exit_code) == ("lease", -signal.SIGTERM)
    assert (supervisor._launches / about.launch_id / kept.LEASE).exists()
    await supervisor.close()
