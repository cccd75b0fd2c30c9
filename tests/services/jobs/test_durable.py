"""Jobs: done once, tried again, given up where somebody sees it, and not lost with the process."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from mutx.kit.clock import ManualClock, SystemClock
from mutx.kit.errors import Conflict, InputError, NotFound, Unavailable
from mutx.services.jobs.durable import KEEP_DEAD, KEEP_DONE, DurableJobs
from mutx.services.jobs.model import Backoff, Handler, JobRecord, JobStatus
from tests.redis_server import until
from tests.services.jobs.worker import handler, job, lines

QUICK = Backoff(3, 0.05, 2.0)
ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def running(
    folder: Path, *, registry: CollectorRegistry | None = None, **handlers: Handler
) -> AsyncIterator[DurableJobs]:
    url = f"sqlite:///{folder / 'jobs.db'}"
    jobs = DurableJobs(url, handlers, SystemClock(), registry or CollectorRegistry(), backoff=QUICK)
    try:
        yield jobs
    finally:
        await jobs.stop()


async def ended(jobs: DurableJobs, name: str) -> JobRecord:
    async with asyncio.timeout(30):
        while (found := await jobs.get("ws", name)).ended_at is None:  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0.05)
    return found


async def test_from_handing_in_to_giving_up_and_trying_again(tmp_path: Path) -> None:
    seen: list[str] = []
    broken, registry = {"rain"}, CollectorRegistry()

    async def notice(payload: dict[str, str]) -> None:
        seen.append(payload["id"])
        if payload["id"] == "slow" and seen.count("slow") < 3:
            raise Unavailable("the mail server is asleep")
        if payload["id"] in broken:
            raise Unavailable("it rains")
        if payload["id"] == "bug":
            raise KeyError("secret value")

    async def refuse(payload: dict[str, str]) -> None:
        seen.append(payload["id"])
        raise InputError("no such address")

    async with running(tmp_path, registry=registry, notice=notice, refuse=refuse) as jobs:
        for _ in range(3):  # the same id is the same job
            await jobs.enqueue(job("plain", "notice"))
        await jobs.enqueue(job("slow", "notice"))
        await jobs.enqueue(job("rain", "notice"))
        await jobs.enqueue(job("bug", "notice"))
        await jobs.enqueue(job("wrong", "refuse"))
        await jobs.enqueue(job("stray", "unknown"))
        await jobs.enqueue(job("theirs", "notice", workspace="other"))
        found = {name: await ended(jobs, name) for name in ("plain", "slow", "rain", "bug", "wrong", "stray")}
        assert {name: each.status for name, each in found.items() if each.status is not JobStatus.DEAD} == {
            "plain": JobStatus.DONE,
            "slow": JobStatus.DONE,
        }
        assert found["rain"].error == "it rains"
        assert found["wrong"].error == "no such address"
        assert found["bug"].error == "KeyError; the server log has more"
        assert "unknown" in (found["stray"].error or "")
        counts = {name: seen.count(name) for name in ("plain", "slow", "rain", "bug", "wrong")}
        assert counts == {"plain": 1, "slow": 3, "rain": 3, "bug": 3, "wrong": 1}
        assert registry.get_sample_value("mutx_job_attempts_total", {"kind": "notice", "outcome": "dead"}) == 2

        dead = await jobs.page("ws", JobStatus.DEAD, 0, 50)
        assert {each.id for each in dead} == {"rain", "bug", "wrong", "stray"}
        assert len(await jobs.page("ws", JobStatus.DEAD, 1, 2)) == 2
        assert [each.id for each in await jobs.page("other", None, 0, 50)] == ["theirs"]
        for name in ("theirs", "nothing"):
            with pytest.raises(NotFound):
                await jobs.retry("ws", name)
        with pytest.raises(Conflict):
            await jobs.retry("ws", "plain")
        broken.clear()
        again = await jobs.retry("ws", "rain")
        assert (again.id, again.ended_at) == ("rain", None)
        assert (await ended(jobs, "rain")).status is JobStatus.DONE
        assert seen.count("rain") == 4


async def test_what_was_under_way_at_a_stop_is_done_after_the_next_start(tmp_path: Path) -> None:
    begun, hold = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def slow(payload: dict[str, str]) -> None:
        begun.set()
        await hold.wait()
        done.append(payload["id"])

    before = set(threading.enumerate())
    async with running(tmp_path, slow=slow) as jobs:
        await jobs.enqueue(job("work", "slow"))
        await asyncio.wait_for(begun.wait(), 30)
    left = [thread.name for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio_")]
    assert left == []
    assert done == []
    hold.set()
    async with running(tmp_path, slow=slow) as jobs:
        await jobs.start()
        assert (await ended(jobs, "work")).status is JobStatus.DONE
    assert done == ["work"]
    with pytest.raises(Unavailable, match="stopping"):
        await jobs.enqueue(job("late", "slow"))


async def test_a_killed_process_loses_no_job(tmp_path: Path) -> None:
    journal, url = tmp_path / "journal", f"sqlite:///{tmp_path / 'jobs.db'}"
    command = [sys.executable, "-m", "tests.services.jobs.worker", url, str(journal), "3600", "a", "b", "c"]
    process = subprocess.Popen(command, cwd=ROOT)  # noqa: ASYNC220 - to be killed
    try:
        await until(lambda: len(lines(journal)) == 3, 30)
    finally:
        process.kill()
        process.wait()
    assert {line.split()[0] for line in lines(journal)} == {"begin"}
    async with running(tmp_path, note=handler(journal, 0)) as jobs:
        await jobs.start()
        assert {(await ended(jobs, name)).status for name in "abc"} == {JobStatus.DONE}
    assert sorted(line for line in lines(journal) if line.startswith("end")) == ["end a", "end b", "end c"]


async def test_one_control_plane_of_a_process_has_the_engine(tmp_path: Path) -> None:
    done: list[str] = []

    async def note(payload: dict[str, str]) -> None:
        done.append(payload["id"])

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with running(tmp_path / "two", note=note) as two:
        async with running(tmp_path / "one", note=note) as one:
            assert await one.page("ws", None, 0, 10) == []
            with pytest.raises(Unavailable, match="another control plane"):
                await two.enqueue(job("later"))
        await two.enqueue(job("later"))
        await ended(two, "later")
    assert done == ["later"]


async def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"not a database" * 1000)
    async with running(tmp_path) as jobs:
        with pytest.raises(Unavailable, match="cannot be opened"):
            await jobs.start()


async def test_what_ended_long_ago_is_forgotten(tmp_path: Path) -> None:
    async def note(payload: dict[str, str]) -> None:
        if payload["id"] == "bad":
            raise InputError("no")

    clock = ManualClock(SystemClock().now())
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    jobs = DurableJobs(url, {"note": note}, clock, CollectorRegistry(), backoff=QUICK)
    try:
        await jobs.keep_house()  # nothing was launched, so nothing is launched for it
        await jobs.beat()
        for name in ("good", "bad"):
            await jobs.enqueue(job(name))
            await ended(jobs, name)
        await jobs.keep_house()
        assert len(await jobs.page("ws", None, 0, 50)) == 2
        clock.advance(KEEP_DONE + 60)
        await jobs.keep_house()
        assert [each.id for each in await jobs.page("ws", None, 0, 50)] == ["bad"]
        clock.advance(KEEP_DEAD)
        await jobs.keep_house()
        assert await jobs.page("ws", None, 0, 50) == []
    finally:
        await jobs.stop()
