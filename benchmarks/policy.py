"""Finding the rules that decide: against one dictionary look-up, against the number of rules, during a reload."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from benchmarks import rules
from benchmarks.harness import Plan, Result, ratio, result, sweep
from benchmarks.world import World
from mutx.governance.types import ToolCall
from mutx.server.tuning import tune

CONDITIONS = 8
"""How many CEL conditions are compared with one."""


def run(plan: Plan) -> list[Result]:
    most = plan.count(10_000, least=200)
    calls = rules.requests()
    return [
        _over_dict_get(plan, calls),
        _over_ten(plan, calls, "policy_10000_over_10", rules.mixed(most), rules.mixed(10)),
        _over_ten(plan, calls, "policy_10000_over_10_adversarial", rules.adversarial(most), rules.adversarial(10)),
        _condition(plan, calls),
        _reload(plan, rules.mixed(most)),
    ]


def _over_dict_get(plan: Plan, calls: Sequence[ToolCall]) -> Result:
    return ratio(
        "policy_1000_over_dict_get",
        plan,
        _evaluation(rules.mixed(1000), calls),
        sweep(rules.look_up(calls), [(call,) for call in calls]),
        against="one dict.get by tool and agent over the same 2 000 requests",
        gate=10,
    )


def _over_ten(plan: Plan, calls: Sequence[ToolCall], name: str, many: str, few: str) -> Result:
    against = "the same requests among 10 rules"
    return ratio(name, plan, _evaluation(many, calls), _evaluation(few, calls), against=against, gate=4)


def _evaluation(text: str, calls: Sequence[ToolCall]) -> Any:
    world = World(rules.engine(text))
    return sweep(world.engine.evaluate, asyncio.run(world.observed(calls)))


def _condition(plan: Plan, calls: Sequence[ToolCall]) -> Result:
    """Conditions that only the CEL library can decide, all on one tool, none of which holds."""
    few = _evaluation(_conditions(1), calls)
    many = _evaluation(_conditions(CONDITIONS), calls)
    runs = [(many() - few()) * 1e6 / (CONDITIONS - 1) for _ in range(plan.rounds)]
    return result("cel_condition_us", runs, "us", "each further CEL condition of one decision", 3)


def _conditions(count: int) -> str:
    one = [f"size(args.path) > 1000 && args.amount * 2 > {number}" for number in range(count)]
    return rules.document([rules.rule(number, when=when, priority=100 + number) for number, when in enumerate(one)])


def _reload(plan: Plan, text: str) -> Result:
    tune()  # as the server does
    runs = [asyncio.run(_longest_gap(text)) * 1000 for _ in range(plan.rounds)]
    against = "longest silence of the event loop while a thread reads and compiles 10 000 rules"
    return result("policy_hot_reload_stall_ms", runs, "ms", against, 10)


async def _longest_gap(text: str) -> float:
    compiling = asyncio.create_task(asyncio.to_thread(rules.engine, text))
    longest, before = 0.0, time.perf_counter()
    while not compiling.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    await compiling
    return longest
