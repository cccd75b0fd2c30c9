"""Processes that decide on one PostgreSQL, each the whole pipeline, and the check of what they left behind."""

import asyncio
import multiprocessing
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Self

import asyncpg

from benchmarks import rules
from benchmarks.world import CALLER, World
from mutx.governance.chain import genesis
from mutx.governance.context import ContextAccumulator
from mutx.governance.types import ToolCall
from mutx.kit.canonical import sha256_hex
from mutx.kit.clock import SystemClock
from mutx.kit.errors import LedgerUnavailable
from mutx.storage.codec import decode_turn
from mutx.storage.pg_ledger import PostgresLedger

SHARED_EVERY = 8
"""Of so many writers one works on a session that every process works on."""


class Processes:
    """Started once and warm; they do what they are told until they are told nothing."""

    def __init__(self, serve: Callable[[str, Connection, int, int], None], url: str, count: int, writers: int) -> None:
        """`serve`: runs in each process, with its end of the pipe, its number and how many writers it is to be."""
        self._serve = serve
        self._url = url
        self._count = count
        self._writers = writers
        self._processes: list[tuple[Any, Connection]] = []

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        for number in range(self._count):
            ours, theirs = context.Pipe()
            arguments = (self._url, theirs, number, self._writers)
            process = context.Process(target=self._serve, args=arguments, daemon=True)
            process.start()
            self._processes.append((process, ours))
        for _, ours in self._processes:
            ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        for process, ours in self._processes:
            ours.send(None)
            process.join()

    def told(self, order: object, count: int) -> list[Any]:
        """What the first `count` answer, who work at the same time."""
        for _, ours in self._processes[:count]:
            ours.send(order)
        return [ours.recv() for _, ours in self._processes[:count]]


class Replicas(Processes):
    """Each the whole pipeline."""

    def __init__(self, url: str, count: int, writers: int) -> None:
        super().__init__(_serve, url, count, writers)

    def rate(self, count: int, seconds: float) -> float:
        """Decisions per second of the first `count` together."""
        return sum(self.told(seconds, count)) / seconds


def _serve(url: str, orders: Connection, number: int, writers: int) -> None:
    asyncio.run(_decide_when_told(url, orders, number, writers))


async def _decide_when_told(url: str, orders: Connection, number: int, writers: int) -> None:
    ledger = PostgresLedger(partial(asyncpg.connect, url), ContextAccumulator(), SystemClock())
    await ledger.start()
    world = World(rules.engine(rules.mixed(100)), ledger)
    await _decisions(world, f"warm-{number}", asyncio.get_running_loop().time() + 0.2)
    orders.send("ready")
    while seconds := await asyncio.to_thread(orders.recv):
        until = asyncio.get_running_loop().time() + seconds
        sessions = [
            f"shared-{writer}" if writer % SHARED_EVERY == 0 else f"own-{number}-{writer}" for writer in range(writers)
        ]
        orders.send(sum(await asyncio.gather(*(_decisions(world, session, until) for session in sessions))))
    await ledger.stop()


async def _decisions(world: World, session: str, until: float) -> int:
    """How many were answered; at least one is tried."""
    made, clock = 0, asyncio.get_running_loop().time
    while True:
        call = ToolCall(tool_name="read_order_1", agent_id="agent-1", session_id=session, tool_args={"amount": 5})
        try:
            await world.pipeline.decide(call, CALLER)
            made += 1
        except LedgerUnavailable:  # this session was too busy; no answer, no count
            await asyncio.sleep(0.01)
        if clock() >= until:
            return made


async def verified(url: str) -> None:
    """Raises RuntimeError unless every session is one unbroken chain that ends at its head."""
    connection = await asyncpg.connect(url)
    try:
        heads = await connection.fetch("SELECT workspace_id, session_id, head, seq FROM ledger_sessions")
        for workspace, session, head, count in heads:
            rows = await connection.fetch(
                """SELECT body, envelope, sealed FROM ledger_turns WHERE workspace_id = $1 AND session_id = $2
                ORDER BY seq""",
                workspace,
                session,
            )
            last = genesis(workspace, session)
            for seq, turn in enumerate((decode_turn(*row) for row in rows), 1):
                if (turn.seq, turn.prev) != (seq, last) or sha256_hex(turn.receipt.envelope) != turn.receipt.hash:
                    raise RuntimeError(f"the chain of {session} breaks at {seq}")
                last = turn.receipt.hash
            if (last, len(rows)) != (head, count):
                raise RuntimeError(f"{session} does not end at its head")
    finally:
        await connection.close()
