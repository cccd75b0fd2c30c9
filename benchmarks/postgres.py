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
from benchmarks.processes import CORES, Load
from benchmarks.world import CALLER, World
from mutx.governance.context import ContextAccumulator
from mutx.governance.turn import Turn
from mutx.governance.types import ToolCall
from mutx.kit.clock import SystemClock
from mutx.storage.memory import MemoryLedger
from mutx.storage.pg_ledger import PostgresLedger
from mutx.storage.writer import Done
from tests.postgres import Postgres

WRITERS = 32
TURNS = 1280
"""Per round and ledger, over all writers."""
SECONDS = 2.0
"""Of load for each round of processes."""
ENOUGH_CORES = 6
"""Two replicas, their server and its disk want a core each, and so does whoever measures."""

DURABLE = ("fsync = on", "full_page_writes = on", "autovacuum = on")


def run(plan: Plan) -> list[Result]:
    with durable_server() as server:
        return [*_groups(plan, server), _replicas(plan, server.url(server.migrated()))]


@contextmanager
def durable_server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="mutx-bench-pg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Postgres(folder)
        server.start()
        try:
            for setting in DURABLE:
                server.execute(f"ALTER SYSTEM SET {setting}")
            server.execute("SELECT pg_reload_conf()")
            yield server
        finally:
            server.stop()


def _groups(plan: Plan, server: Postgres) -> list[Result]:
    rounds = asyncio.run(_rounds(plan, server))
    against = f"{WRITERS} writers, SELECT ... FOR UPDATE and a commit per turn, same tables, fsync=on"
    return [
        result(
            "pg_append_over_for_update",
            [each.cpu / group.cpu for group, each in rounds],
            "x",
            f"CPU of process and server per turn: {against}",
            3,
            at_least=True,
        ),
        result(
            "pg_append_rate_over_for_update",
            [group.per_second / each.per_second for group, each in rounds],
            "x",
            f"turns per second, as disk and neighbours allow: {against}",
            3,
            at_least=True,
        ),
    ]


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


async def _rounds(plan: Plan, server: Postgres) -> list[tuple[Load, Load]]:
    """Groups, and a transaction for each turn, round by round."""
    url = server.url(server.migrated())
    connect = partial(asyncpg.connect, url)
    grouped = PostgresLedger(connect, ContextAccumulator(), SystemClock())
    each = ForUpdateLedger(connect, ContextAccumulator(), SystemClock(), connections=WRITERS)
    await grouped.start()
    await each.start()
    composer = Composer()
    world = World(rules.engine(rules.mixed(100)), composer)
    try:
        rounds = [
            (await _load(world, composer, grouped, plan, server), await _load(world, composer, each, plan, server))
            for _ in range(plan.rounds + 1)
        ]
    finally:
        await each.stop()
        await grouped.stop()
    await verified(url)
    return rounds[1:]  # what a new connection has to learn is not measured


async def _load(world: World, composer: Composer, ledger: PostgresLedger, plan: Plan, server: Postgres) -> Load:
    """Concurrent writers, each with a session of its own; the turns were made before."""
    count = plan.count(TURNS, least=2 * WRITERS) // WRITERS
    scripts = [await _script(world, composer, count) for _ in range(WRITERS)]
    cpu, started = time.process_time() + _server_cpu(server), time.perf_counter()
    await asyncio.gather(*(_append(ledger, script) for script in scripts))
    seconds = time.perf_counter() - started
    turns = count * WRITERS
    return Load(turns / seconds, (time.process_time() + _server_cpu(server) - cpu) / turns)


def _server_cpu(server: Postgres) -> float:
    """CPU seconds of every process of the server that is alive."""
    root = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    return sum(int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) for child in (root, *children)) / 1e9


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
