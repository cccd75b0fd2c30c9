"""Two replicas that only append: turns made before, in groups or in a transaction each, as many writers either way."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import asyncpg

from benchmarks import rules
from benchmarks.for_update import ForUpdateLedger
from benchmarks.pg_processes import Processes
from benchmarks.processes import Load
from benchmarks.world import CALLER, World
from mutx.governance.context import ContextAccumulator
from mutx.governance.turn import Turn
from mutx.governance.types import ToolCall
from mutx.kit.clock import SystemClock
from mutx.storage.memory import MemoryLedger
from mutx.storage.pg_ledger import PostgresLedger
from mutx.storage.writer import Done
from tests.postgres import Postgres

REPLICAS = 2
WRITERS = 16
"""In each replica, each with a session of its own."""

GO = "go"


class Appenders(Processes):
    """Replicas with a ledger of either kind."""

    def __init__(self, server: Postgres, url: str) -> None:
        super().__init__(_serve, url, REPLICAS, WRITERS)
        self._server = server

    def load(self, grouped: bool, turns: int) -> Load:
        """With `turns` of each writer. The server is everything that ran: replicas, PostgreSQL and its helpers."""
        self.told((grouped, turns), REPLICAS)
        cpu, started = _cpu(self._server), time.perf_counter()
        spent = sum(self.told(GO, REPLICAS))
        seconds = time.perf_counter() - started
        total = turns * REPLICAS * WRITERS
        return Load(total / seconds, (spent + _cpu(self._server) - cpu) / total)


def _cpu(server: Postgres) -> float:
    """CPU seconds of every process of PostgreSQL that is alive."""
    root = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    return sum(int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) for child in (root, *children)) / 1e9


def _serve(url: str, orders: Connection, number: int, writers: int) -> None:
    asyncio.run(_append_when_told(url, orders, number, writers))


async def _append_when_told(url: str, orders: Connection, number: int, writers: int) -> None:
    connect = partial(asyncpg.connect, url)
    grouped = PostgresLedger(connect, ContextAccumulator(), SystemClock())
    each = ForUpdateLedger(connect, ContextAccumulator(), SystemClock(), connections=writers)
    await grouped.start()
    await each.start()
    composer = Composer()
    world = World(rules.engine(rules.mixed(100)), composer)
    orders.send("ready")
    while order := await asyncio.to_thread(orders.recv):
        scripts = [await _script(world, composer, f"own-{number}-{writer}", order[1]) for writer in range(writers)]
        orders.send("made")
        await asyncio.to_thread(orders.recv)
        before = time.process_time()
        await asyncio.gather(*(_append(grouped if order[0] else each, script) for script in scripts))
        orders.send(time.process_time() - before)
    await each.stop()
    await grouped.stop()


class Composer(MemoryLedger):
    """Keeps the turns that a pipeline makes, to be appended elsewhere."""

    def __init__(self) -> None:
        super().__init__(ContextAccumulator(), SystemClock())
        self.made: list[Turn] = []

    def _submit(self, turn: Turn, snapshot: bytes | None, done: Done) -> None:
        self.made.append(turn)
        done(None, None)


async def _script(world: World, composer: Composer, name: str, count: int) -> Sequence[Turn]:
    """A new session's first turns."""
    session = f"{name}-{time.perf_counter_ns()}"
    composer.made = []
    for _ in range(count):
        call = ToolCall(tool_name="read_order_1", agent_id="agent-1", session_id=session, tool_args={"amount": 5})
        await world.pipeline.decide(call, CALLER)
    return composer.made


async def _append(ledger: PostgresLedger, script: Sequence[Turn]) -> None:
    for turn in script:
        await ledger.append(await ledger.load(turn.workspace_id, turn.session_id), turn)
