"""Durable appends: in groups against one commit each, and one turn alone against one write to the disk."""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from benchmarks import rules
from benchmarks.harness import Plan, Result, result
from benchmarks.world import CALLER, World
from mutx.governance.context import ContextAccumulator
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import ToolCall
from mutx.kit.clock import SystemClock
from mutx.storage.dialect import connect
from mutx.storage.ledger import SqliteLedger
from mutx.storage.ledger_tables import create_tables
from mutx.storage.sqlite_database import SqliteDatabase
from mutx.storage.writer import Job, Writer

WRITERS = 32
TURNS = 640
"""Per round and ledger, over all writers."""
BLOCK = os.urandom(4096)


class EachWriter(Writer):
    """The same writer with a transaction of its own for every append: what group commit is compared with."""

    def _take(self) -> list[Job]:
        return super()._take(1)


def run(plan: Plan) -> list[Result]:
    engine = rules.engine(rules.mixed(100))
    with tempfile.TemporaryDirectory(prefix="mutx-bench-") as folder:
        return asyncio.run(_measured(plan, engine, Path(folder)))


async def _measured(plan: Plan, engine: PolicyEngine, folder: Path) -> list[Result]:
    async with (
        _world(engine, folder / "group.db", Writer) as group,
        _world(engine, folder / "each.db", EachWriter) as each,
    ):
        grouped = [await _rate(group, number, plan) / await _rate(each, number, plan) for number in range(plan.rounds)]
        alone = [await _turn(group, number, plan) / _fdatasync(folder, plan) for number in range(plan.rounds)]
    return [
        result(
            "group_commit_over_commit_each",
            grouped,
            "x",
            f"turns per second at {WRITERS} writers: a commit per turn, same tables, synchronous=FULL",
            3,
            at_least=True,
        ),
        result(
            "unloaded_turn_over_fdatasync",
            alone,
            "x",
            "median of one 4 KB write and fdatasync on the same filesystem",
            6,
        ),
    ]


@asynccontextmanager
async def _world(engine: PolicyEngine, path: Path, writer: type[Writer]) -> AsyncIterator[World]:
    database = SqliteDatabase(path)
    database.writer = writer(partial(connect, str(path), writes=True))
    await database.start(create_tables)
    try:
        yield World(engine, SqliteLedger(database, ContextAccumulator(), SystemClock()))
    finally:
        await database.stop()


async def _rate(world: World, number: int, plan: Plan) -> float:
    """Turns per second of concurrent writers, each in a session of its own."""
    each = plan.count(TURNS, least=2 * WRITERS) // WRITERS
    started = time.perf_counter()
    await asyncio.gather(*(_decisions(world, f"group-{number}-{writer}", each) for writer in range(WRITERS)))
    return each * WRITERS / (time.perf_counter() - started)


async def _decisions(world: World, session: str, count: int) -> None:
    for _ in range(count):
        await world.pipeline.decide(_call(session), CALLER)


async def _turn(world: World, number: int, plan: Plan) -> float:
    """Median seconds of a decision while nothing else goes on, answered once it is on disk."""
    samples = []
    for _ in range(plan.count(200, least=5)):
        started = time.perf_counter()
        await world.pipeline.decide(_call(f"alone-{number}"), CALLER)
        samples.append(time.perf_counter() - started)
    return statistics.median(samples)


def _fdatasync(folder: Path, plan: Plan) -> float:
    samples = []
    with (folder / "block").open("wb", buffering=0) as file:
        for _ in range(plan.count(200, least=5)):
            started = time.perf_counter()
            file.write(BLOCK)
            os.fdatasync(file.fileno())
            samples.append(time.perf_counter() - started)
    return statistics.median(samples)


def _call(session: str) -> ToolCall:
    return ToolCall(tool_name="read_order_1", agent_id="agent-1", session_id=session, tool_args={"amount": 5})
