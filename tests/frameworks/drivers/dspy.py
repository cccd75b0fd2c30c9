"""DSPy's `ReAct` with its own dummy model; `dspy.Parallel` for calls side by side."""

import json
from typing import Any, ClassVar

import dspy
from dspy.utils import DummyLM

from mutx_agent import Governor
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World


class DSPyDriver(Driver):
    name = "dspy"
    distributions = ("dspy",)
    patch = "__call__ and acall of dspy.Tool, dspy.ToolCalls.ToolCall.execute"
    absent: ClassVar = {}
    handoff_tools = frozenset({"delegate"})
    out_of_reach = "functions whose source CodeAct copies into its sandbox"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        told: list[str] = []
        program, question = self._program(scenario, world, told), "write the note"
        with dspy.context(lm=_script(scenario), track_usage=False):
            answer = program(question=question)
        return _told(answer) + told

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        told: list[str] = []
        if scenario.path == "parallel":
            return self._parallel(scenario, world)
        program, question = self._program(scenario, world, told), "write the note"
        with dspy.context(lm=_script(scenario)):
            if scenario.mode == "stream":
                parts = [part async for part in dspy.streamify(program)(question=question)]
                answer = parts[-1]
            else:
                answer = await program.acall(question=question)
        return _told(answer) + told

    def _program(self, scenario: Scenario, world: World, told: list[str]) -> Any:
        worker = dspy.ReAct("question -> answer", tools=self._tools(scenario, world))
        if not scenario.handoff:
            return worker

        async def delegate(task: str) -> str:
            """Have the worker do it."""
            with dspy.context(lm=_script(scenario, [])):
                told.extend(_told(await worker.acall(question=task)))
            return "handed over"

        return dspy.ReAct("question -> answer", tools=[delegate])

    def _tools(self, scenario: Scenario, world: World) -> list[Any]:
        put = dspy.Tool(self.put_of(scenario, world), name="put")

        async def relay(key: str, text: str) -> str:
            """Pass it on."""
            return str(await put.acall(key=key, text=text))

        return [put, dspy.Tool(relay)] if scenario.nested else [put]

    def _parallel(self, scenario: Scenario, world: World) -> list[str]:
        put = dspy.Tool(world.put, name="put")
        pairs: list[Any] = [(put, dict(call.args)) for calls in scenario.turns for call in calls]
        runner = dspy.Parallel(
            num_threads=len(pairs), max_errors=9, return_failed_examples=True, disable_progress_bar=True
        )
        done, _, errors = runner(pairs)
        return [str(item) for item in (*done, *errors) if item is not None]


def _script(scenario: Scenario, before: list[Call] | None = None) -> DummyLM:
    """The model's answers: one call a turn, then the end. Where a tool has failed, it asks again."""
    turns = [calls[0] for calls in scenario.turns * (2 if scenario.flaky else 1)]
    if scenario.handoff and before is None:
        turns = [Call("delegate", {"task": "write it"})]
    steps = [
        {"next_thought": "go on", "next_tool_name": call.tool, "next_tool_args": json.dumps(call.args)}
        for call in [*turns, Call("finish", {})]
    ]
    return DummyLM([*steps, {"reasoning": "it is written", "answer": "done"}])


def _told(answer: Any) -> list[str]:
    assert answer.answer == "done"
    return [str(value) for name, value in answer.trajectory.items() if name.startswith("observation_")]


DRIVER = DSPyDriver()
