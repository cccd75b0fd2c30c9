"""A process that runs jobs until it is killed: `python -m tests.services.jobs.worker URL JOURNAL SECONDS [ID...]`.

Each attempt appends a line `begin ID` to the journal, takes SECONDS, and appends `end ID`. IDs are enqueued first.
"""

import asyncio
import os
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from mutx.kit.clock import SystemClock
from mutx.services.jobs.durable import DurableJobs
from mutx.services.jobs.model import Backoff, Handler, NewJob


def write(journal: Path, line: str) -> None:
    """One whole line, also where several processes write."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def handler(journal: Path, seconds: float) -> Handler:
    async def note(payload: dict[str, object]) -> None:
        write(journal, f"begin {payload['id']}")
        await asyncio.sleep(seconds)
        write(journal, f"end {payload['id']}")

    return note


def lines(journal: Path) -> list[str]:
    return journal.read_text().splitlines() if journal.exists() else []


def job(name: str, kind: str = "note", workspace: str = "ws") -> NewJob:
    return NewJob(id=name, kind=kind, workspace_id=workspace, payload={"id": name})


async def main(url: str, journal: str, seconds: str, *names: str) -> None:
    jobs = DurableJobs(
        url,
        {"note": handler(Path(journal), float(seconds))},
        SystemClock(),
        CollectorRegistry(),
        backoff=Backoff(3, 0.05, 2.0),
    )
    await jobs.start()
    for name in names:
        await jobs.enqueue(job(name))
    while True:
        await jobs.beat()
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
