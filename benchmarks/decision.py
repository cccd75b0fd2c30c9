"""A whole decision in process, short of the receipt: normalise with the action hash, session, limits, policy, result."""

import asyncio
from collections.abc import Callable, Sequence

from benchmarks import rules
from benchmarks.harness import Plan, Result, Round, ratio, sweep
from benchmarks.world import CALLER, World
from mutx.governance.judge import judge
from mutx.governance.ports import SessionState
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import Decision, ToolCall
from mutx.kit.ids import new_id

LIMITED = 5
"""One rule in so many has a rate limit, which is read and charged."""


def run(plan: Plan) -> list[Result]:
    world = World(rules.engine(rules.mixed(100, limited=LIMITED)))
    calls = rules.requests()
    return [
        ratio(
            "decide_in_process_over_dict_get",
            plan,
            sweep(_decide(world, asyncio.run(world.state("s1"))), [(call,) for call in calls]),
            sweep(rules.look_up(calls), [(call,) for call in calls]),
            against="one dict.get by tool and agent over the same 2 000 requests; 100 rules, a fifth of them rate-limited",
            gate=100,
        ),
        ratio(
            "decide_10000_over_10_turns",
            plan,
            _after(plan.count(10_000, least=20), calls),
            _after(10, calls),
            against="the same decisions in a session of 10 turns",
            gate=1.3,
        ),
    ]


def _decide(world: World, state: SessionState) -> Callable[[ToolCall], Decision]:
    engine, gather, normalize = world.engine, world.gather, world.mediator.normalize
    tool, counter = engine.tool, world.counter

    def decide(call: ToolCall) -> Decision:
        facts = world.facts(state)
        action = normalize(call, CALLER, tools=tool, id=new_id(), now=facts.now)
        return judge(engine, gather.observe(state, action, engine, call), facts, counter)

    return decide


def _after(turns: int, calls: Sequence[ToolCall]) -> Round:
    world = World(rules.engine(rules.mixed(100, limited=LIMITED)))
    state = asyncio.run(_lived(world, turns, calls))
    return sweep(_decide(world, state), [(call,) for call in calls])


async def _lived(world: World, turns: int, calls: Sequence[ToolCall]) -> SessionState:
    """The session after so many turns: decisions, and the outcomes of those that were allowed."""
    done = 0
    while done < turns:
        call = calls[done % len(calls)]
        answer = await world.pipeline.decide(call, CALLER)
        done += 1
        if answer.effect.runs:
            outcome = Outcome(status=OutcomeStatus.EXECUTED, result={"row": done, "owner": f"user-{done}@example.org"})
            await world.pipeline.conclude(answer.action_id, outcome, CALLER)
            done += 1
    return await world.state(calls[0].session_id)
