"""Several runners on one PostgreSQL: each job has exactly one, and a dead runner's jobs find another."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import OperationalError

from mutx.kit.clock import SystemClock
from mutx.kit.errors import Unavailable
from mutx.services.jobs.durable import SCHEMA, DurableJobs
from mutx.services.jobs.model import Backoff, JobStatus
from mutx.services.jobs.runners import Runners
from tests.postgres import Postgres
from tests.redis_server import until
from tests.services.jobs.worker import handler, job, lines

ROOT = Path(__file__).parents[3]


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    name = postgres.new()
    yield postgres.url(name, driver="+psycopg")
    postgres.drop(name)


@contextmanager
def worker(url: str, journal: Path, seconds: float, *names: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.services.jobs.worker", url, str(journal), str(seconds), *names], cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ended(journal: Path) -> list[str]:
    return sorted(line.split()[1] for line in lines(journal) if line.startswith("end"))


async def test_each_job_has_one_runner(url: str, tmp_path: Path) -> None:
    names = [f"job-{number}" for number in range(40)]
    jobs = DurableJobs(url, {}, SystemClock(), CollectorRegistry())
    journals = [tmp_path / "one", tmp_path / "two"]
    with worker(url, journals[0], 0.01, *names), worker(url, journals[1], 0.01, *names):
        # both handed all of them in
        await until(lambda: len(ended(journals[0]) + ended(journals[1])) >= len(names), 90)
    counts = Counter(ended(journals[0]) + ended(journals[1]))
    assert counts == dict.fromkeys(names, 1)
    await jobs.stop()


async def test_a_dead_runners_jobs_are_taken_over(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = tmp_path / "journal"
    with worker(url, journal, 3600, "a", "b", "c"):
        await until(lambda: len(lines(journal)) == 3, 60)
    jobs = DurableJobs(url, {"note": handler(journal, 0)}, SystemClock(), CollectorRegistry(), backoff=Backoff(1))
    # the dead one is found out after a second in place of thirty
    monkeypatch.setattr(jobs, "_runners", Runners(url, SCHEMA, dead=1.0))
    try:
        await jobs.start()
        async with asyncio.timeout(60):
            while len(ended(journal)) < 3:
                await jobs.beat()
                await asyncio.sleep(0.2)
        assert {each.status for each in await jobs.page("ws", None, 0, 50)} <= {JobStatus.DONE, JobStatus.RUNNING}
        await jobs.enqueue(job("d"))
        await until(lambda: ended(journal) == ["a", "b", "c", "d"], 30)
    finally:
        await jobs.stop()


def test_the_register(url: str) -> None:
    one, two = Runners(url, SCHEMA), Runners(url, SCHEMA)
    try:
        one.enter("one")
        two.enter("two")
        assert two.bury() == []
        one.leave("one")
        assert [two.bury(), one.bury()] == [["one"], []]
        one.beat("one")  # a pause, not a death: it is back
        assert two.bury() == []
    finally:
        one.close()
        two.close()


async def test_a_job_database_that_goes_away(postgres: Postgres, tmp_path: Path) -> None:
    name = postgres.new()
    jobs = DurableJobs(postgres.url(name, driver="+psycopg"), {}, SystemClock(), CollectorRegistry())
    nowhere = DurableJobs(postgres.url("nowhere", driver="+psycopg"), {}, SystemClock(), CollectorRegistry())
    try:
        with pytest.raises(Unavailable, match="cannot be opened"):
            await nowhere.start()
        await jobs.start()
        postgres.drop(name)
        with pytest.raises(Unavailable, match="does not answer"):
            await jobs.page("ws", None, 0, 50)
        with pytest.raises(OperationalError):
            await jobs.beat()
    finally:
        await nowhere.stop()
        await jobs.stop()
