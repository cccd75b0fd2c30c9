"""The ledger on PostgreSQL: groups against a transaction for each turn, and two processes against one.

The server is a real one with its usual durability; every chain is verified after each measurement.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import asyncpg

from benchmarks import rules
from benchmarks.for_update import ForUpdateLedger
from benchmarks.harness import Plan, Result, result
from benchmarks.pg_processes import Replicas, verified
from benchmarks.processes import CORES
from benchmarks.world import CALLER, World
from mutx.governance.context import ContextAccumulator
from mutx.governance.turn import Turn
from mutx.governance.types import ToolCall
from mutx.kit.clock import SystemClock
from mutx.storage.ledger_core import Done
from mutx.storage.memory import MemoryLedger
from mutx.storage.pg_ledger import PostgresLedger
from tests.postgres import Postgres, binaries

WRITERS = 32
TURNS = 640
"""Per round and ledger, over all writers."""
SECONDS = 2.0
"""Of load for each round of processes."""
ENOUGH_CORES = 6
"""Two replicas, their server and its disk want a core each, and so does whoever measures."""

DURABLE = ("fsync = on", "full_page_writes = on", "autovacuum = on")


def run(plan: Plan) -> list[Result]:
    with durable_server() as server:
        return [_groups(plan, server.url(server.migrated())), _replicas(plan, server.url(server.migrated()))]


@contextmanager
def durable_server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="mutx-bench-pg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postgres(folder, binaries())
        server.start()
        try:
            for setting in DURABLE:
                server.execute(f"ALTER SYSTEM SET {setting}")
            server.execute("SELECT pg_reload_conf()")
            yield server
        finally:
            server.stop()


def _groups(plan: Plan, url: str) -> Result:
    return result(
        "pg_append_over_for_update",
        asyncio.run(_rates(plan, url)),
        "x",
        f"turns per second at {WRITERS} writers: SELECT ... FOR UPDATE and a commit per turn, same tables, fsync=on",
        3,
        at_least=True,
    )


def _replicas(plan: Plan, url: str) -> Result:
    with Replicas(url, 2, WRITERS) as replicas:
        runs = [
            replicas.rate(2, plan.scale * SECONDS) / replicas.rate(1, plan.scale * SECONDS) for _ in range(plan.rounds)
        ]
    asyncio.run(verified(url))
    return result(
        "pg_two_replicas_over_one",
        runs,
        "x",
        f"decisions per second: one process of {WRITERS} writers; 1 session in 8 shared; {len(CORES)} cores",
        1.6 if len(CORES) >= ENOUGH_CORES else 0,
        at_least=True,
    )


class Composer(MemoryLedger):
    """Keeps the turns that a pipeline makes, to be appended elsewhere."""

    def __init__(self) -> None:
        super().__init__(ContextAccumulator(), SystemClock())
        self.made: list[Turn] = []

    def _submit(self, turn: Turn, snapshot: bytes | None, done: Done) -> None:
        self.made.append(turn)
        done(None, None)


async def _rates(plan: Plan, url: str) -> list[float]:
    """Groups over a transaction each, round by round."""
    connect = partial(asyncpg.connect, url)
    grouped = PostgresLedger(connect, ContextAccumulator(), SystemClock())
    each = ForUpdateLedger(connect, ContextAccumulator(), SystemClock(), connections=WRITERS)
    await grouped.start()
    await each.start()
    composer = Composer()
    world = World(rules.engine(rules.mixed(100)), composer)
    try:
        await _rate(world, composer, grouped, plan)  # what a new connection has to learn is not measured
        await _rate(world, composer, each, plan)
        rates = [
            await _rate(world, composer, grouped, plan) / await _rate(world, composer, each, plan)
            for _ in range(plan.rounds)
        ]
    finally:
        await each.stop()
        await grouped.stop()
    await verified(url)
    return rates


async def _rate(world: World, composer: Composer, ledger: PostgresLedger, plan: Plan) -> float:
    """Turns per second of concurrent writers, each with a session of its own; the turns were made before."""
    count = plan.count(TURNS, least=2 * WRITERS) // WRITERS
    scripts = [await _script(world, composer, count) for _ in range(WRITERS)]
    started = time.perf_counter()
    await asyncio.gather(*(_append(ledger, script) for script in scripts))
    return count * WRITERS / (time.perf_counter() - started)


async def _script(world: World, composer: Composer, count: int) -> Sequence[Turn]:
    session = f"script-{id(composer)}-{time.perf_counter_ns()}"
    composer.made = []
    for _ in range(count):
        call = ToolCall(tool_name="read_order_1", agent_id="agent-1", session_id=session, tool_args={"amount": 5})
        await world.pipeline.decide(call, CALLER)
    return composer.made


async def _append(ledger: PostgresLedger, script: Sequence[Turn]) -> None:
    for turn in script:
        await ledger.append(await ledger.load(turn.workspace_id, turn.session_id), turn)
