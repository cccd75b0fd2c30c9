"""What an installed adapter adds to one tool call, beside the framework's bare call of the same tool.

The control plane answers at once and is no part of the figure: it is measured in `decision` and `doors`. What is left is
the hook, the description of the call as JSON, two questions (decide, conclude) and, for coroutines, the thread that keeps
each question off the event loop. `make bench-frameworks` measures the adapters of the other frameworks.
"""

import asyncio

from benchmarks.calls import Measure
from benchmarks.calls.here import MEASURED
from benchmarks.calls.run import AtOnce
from benchmarks.harness import Plan, Result, result
from mutx_agent import Governor, hooks

CALLS = 400
GATE_US = 2000.0


def run(plan: Plan) -> list[Result]:
    return [_added(name, measure, plan) for name, measure in MEASURED.items()]


def _added(name: str, measure: Measure, plan: Plan) -> Result:
    count = plan.count(CALLS)
    bare, added = [], []
    for _ in range(plan.rounds):
        bare.append(asyncio.run(measure(count)) * 1e6)
        uninstall = hooks.install(name, Governor(AtOnce(), agent_id="bench"))
        try:
            added.append(asyncio.run(measure(count)) * 1e6 - bare[-1])
        finally:
            uninstall()
    typical = sorted(bare)[len(bare) // 2]
    against = f"the framework's bare call of the same tool, {typical:.0f} us in this run"
    return result(f"adapter_{name}_added_us", added, "us", against, GATE_US)
