"""A changed policy against a long history that lies in a database: read, decoded, judged and counted."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import cast

from benchmarks import rules
from benchmarks.harness import Plan, Result, result
from benchmarks.world import CALLER, World
from mutx.contract.policies import BacktestRequest
from mutx.governance.context import ContextAccumulator
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import ToolCall
from mutx.kit.clock import SystemClock
from mutx.resources.policies.history import PolicyHistory
from mutx.resources.policies.service import PolicyStore
from mutx.storage.ledger import SqliteLedger
from mutx.storage.ledger_tables import create_tables
from mutx.storage.sqlite_database import SqliteDatabase
from mutx.storage.views import LedgerStore

TURNS = 100_000
PER_SESSION = 80
"""Calls of one session, of which those that may run are concluded with a result."""
WRITERS = 32
MOST_ROUNDS = 5
"""Each reads the whole history."""


class _NoOthers:
    """A store in which the policy that is tried stands alone."""

    async def enabled(self) -> list[object]:
        return []


def run(plan: Plan) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="mutx-bench-") as folder:
        return [asyncio.run(_measured(plan, Path(folder)))]


async def _measured(plan: Plan, folder: Path) -> Result:
    database = SqliteDatabase(folder / "history.db")
    await database.start(create_tables)
    try:
        ledger = SqliteLedger(database, ContextAccumulator(), SystemClock())
        turns = await filled(ledger, plan.count(TURNS, least=200))
        runs = [await seconds(ledger, turns) for _ in range(min(plan.rounds, MOST_ROUNDS))]
    finally:
        await database.stop()
    against = "the whole history from SQLite on disk under another policy of 100 rules; one process, scaled to 100 000"
    return result("backtest_store_100000_s", [run / turns * TURNS for run in runs], "s", against, 60)


async def filled(ledger: LedgerStore, turns: int) -> int:
    """Sessions decided and concluded by the engine, until there are so many turns. Returns how many there are."""
    world = World(rules.engine(rules.mixed(100)), ledger)
    calls = rules.requests()
    count = session = 0
    while count < turns:
        written = await asyncio.gather(
            *(_session(world, calls, f"session-{session + writer}", session + writer) for writer in range(WRITERS))
        )
        count, session = count + sum(written), session + WRITERS
    return count


async def _session(world: World, calls: list[ToolCall], name: str, number: int) -> int:
    turns = 0
    for at in range(PER_SESSION):
        like = calls[(number * PER_SESSION + at) % len(calls)]
        call = ToolCall(tool_name=like.tool_name, agent_id=like.agent_id, session_id=name, tool_args=like.tool_args)
        answer = await world.pipeline.decide(call, CALLER)
        turns += 1
        if answer.effect.runs:
            shown = {"row": at, "owner": f"user-{number}-{at}@example.org"}
            await world.pipeline.conclude(
                answer.action_id, Outcome(status=OutcomeStatus.EXECUTED, result=shown), CALLER
            )
            turns += 1
    return turns


async def seconds(ledger: LedgerStore, turns: int) -> float:
    """What `POST /v1/policies/backtest` does, once."""
    history = PolicyHistory(ledger, cast(PolicyStore, _NoOthers()), SystemClock(), CALLER)
    started = time.perf_counter()
    found = await history.backtest(BacktestRequest(document=rules.mixed(101), since_seconds=86_400.0))
    taken = time.perf_counter() - started
    assert found.turns == turns, "every turn is looked at"
    return taken
