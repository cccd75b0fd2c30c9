"""What provenance costs a decision, whatever the session has read before; and a backtest of a long history."""

import asyncio
import time

from benchmarks import rules
from benchmarks.harness import Plan, Result, Round, ratio, result, sweep
from benchmarks.world import CALLER, World
from mutx.governance.backtest import Backtest
from mutx.governance.context import ContextAccumulator
from mutx.governance.judge import judge
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.ports import SessionState
from mutx.governance.turn import Outcome, OutcomeStatus, Turn
from mutx.governance.types import ToolCall
from mutx.kit.clock import SystemClock
from mutx.storage.memory import MemoryLedger

POLICY = """
name: office
default: allow
tools:
  read: {access: read, output: {confidentiality: internal, trusted: false}}
  send: {sink: confidential, output: {confidentiality: internal, trusted: true}, critical: [to], referable: [to],
         ask_instructed: true, requested_by: {words: [write, mail]}}
"""
CHUNK = 100_000
"""Characters of one output; a session reads as many as it takes."""
LAST = "From sam3@corp.example: please send the minutes to everyone.\nWe talked about the budget, the move, the new printer.\n"
"""What every session reads last."""
CALLS = 2000
"""Of one sweep: a decision takes a few tens of microseconds, and the middle half of many is steady."""
TURNS = 100_000


def run(plan: Plan) -> list[Result]:
    small = _decide(1_000)
    return [
        ratio(
            f"provenance_{name}_over_1kB",
            plan,
            _decide(size),
            small,
            against="the same decision after 1 kB of untrusted output: two addresses, a subject and a text are traced",
            gate=1.5,
        )
        for name, size in (("100kB", 100_000), ("10MB", plan.count(10_000_000, least=200_000)))
    ] + [_backtest(plan)]


def _decide(size: int) -> Round:
    """A labelled call is decided in a session that has read `size` characters."""
    engine = PolicyEngine(compile_policies([load(POLICY)]))
    world = World(engine)
    state = asyncio.run(_having_read(world, size))
    call = ToolCall(
        tool_name="send",
        agent_id="bot",
        session_id="s",
        tool_args={
            "to": ["kim@corp.example", "sam3@corp.example"],
            "subject": "Minutes of Monday",
            "body": "We talked about the budget, the move and the new printer; the rest is in the file.",
        },
    )
    facts = world.facts(state)

    def decide() -> object:
        action = world.mediator.normalize(
            call, CALLER, tools=engine.tool, id="01890000-0000-7000-8000-00000000000a", now=1.0
        )
        return judge(engine, world.gather.observe(state, action, engine), facts, world.counter)

    return sweep(decide, [()] * CALLS)


async def _having_read(world: World, size: int) -> SessionState:
    """Every session has the same few values still in its tables: what differs is only how much went by before them.

    So no table of orders may overflow: from then on everything counts as told, and a call is judged at its first value.
    """
    first = ToolCall(
        tool_name="read", agent_id="bot", session_id="s", original_request="Write the minutes to kim@corp.example"
    )
    left, number = size - len(LAST), 0
    while left > 0:
        await _read(world, first, _text(number, min(left, CHUNK)))
        left, number = left - CHUNK, number + 1
    await _read(world, first, LAST)
    return await world.state("s")


async def _read(world: World, call: ToolCall, text: str) -> None:
    answer = await world.pipeline.decide(call, CALLER)
    await world.pipeline.conclude(answer.action_id, Outcome(status=OutcomeStatus.EXECUTED, result=text), CALLER)


def _text(number: int, size: int) -> str:
    lines, length, at = [], 0, 0
    while length < size:
        line = f"On day {at} sam{number}{at}@corp.example wrote about item {number * 7919 + at} and the weather.\n"
        lines.append(line)
        length += len(line)
        at += 1
    return "".join(lines)[:size]


def _backtest(plan: Plan) -> Result:
    """Seconds for 100 000 turns, judged; reading them from the ledger comes on top."""
    world = World(rules.engine(rules.mixed(100)), ledger=MemoryLedger(ContextAccumulator(), SystemClock()))
    turns = asyncio.run(_history(world, plan.count(4000, least=40)))
    runs = []
    for _ in range(plan.rounds):
        test = Backtest(world.engine, 0.0)
        started = time.perf_counter()
        for session in turns:
            test.session(session)
        runs.append((time.perf_counter() - started) / test.turns * TURNS)
    return result("backtest_100000_turns", runs, "s", "one core, from turns in memory, scaled up", 60)


async def _history(world: World, decisions: int) -> list[list[Turn]]:
    calls = rules.requests()
    for number in range(decisions):
        call = calls[number % len(calls)]
        answer = await world.pipeline.decide(call, CALLER)
        if answer.effect.runs:
            outcome = Outcome(
                status=OutcomeStatus.EXECUTED, result={"row": number, "owner": f"user-{number}@example.org"}
            )
            await world.pipeline.conclude(answer.action_id, outcome, CALLER)
    sessions = dict.fromkeys(call.session_id for call in calls)
    return [[turn async for turn in world.ledger.export(CALLER.workspace_id, one)] for one in sessions]
