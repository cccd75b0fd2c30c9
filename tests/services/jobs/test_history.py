"""The job engine stays asleep where it has never had anything to do, and nowhere else."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from prometheus_client import CollectorRegistry

from mutx.kit.clock import SystemClock
from mutx.services.jobs.durable import DurableJobs
from mutx.services.jobs.history import may_hold_jobs
from mutx.services.jobs.model import JobStatus
from tests.services.jobs.worker import job


async def test_only_a_database_that_never_had_a_job_lets_the_engine_sleep(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    url = f"sqlite:///{path}"
    done: list[str] = []

    async def note(payload: dict[str, str]) -> None:
        done.append(payload["id"])

    def control_plane() -> DurableJobs:
        return DurableJobs(url, {"note": note}, SystemClock(), CollectorRegistry())

    unused = control_plane()
    await unused.start()
    await unused.stop()
    assert not path.exists()  # the engine would have made it

    first = control_plane()
    assert await first.page("ws", None, 0, 10) == []
    await first.stop()
    assert path.exists()
    assert not may_hold_jobs(url)

    second = control_plane()
    await second.enqueue(job("one"))
    await second.stop()
    assert may_hold_jobs(url)

    third = control_plane()
    await third.start()  # nobody asks it for anything: it takes up, or keeps, what the one before left
    async with asyncio.timeout(60):
        while (await third.get("ws", "one")).status is not JobStatus.DONE:  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0.05)
    assert "one" in done
    await third.stop()


def test_what_cannot_be_told_is_left_to_the_engine(tmp_path: Path) -> None:
    assert may_hold_jobs("postgresql+psycopg://mutx@db/mutx")
    assert may_hold_jobs("sqlite://")
    (tmp_path / "torn.db").write_bytes(b"not a database" * 100)
    assert may_hold_jobs(f"sqlite:///{tmp_path / 'torn.db'}")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE something_else (id)")
    assert may_hold_jobs(f"sqlite:///{tmp_path / 'other.db'}")
