"""Agno agents and teams with a scripted model."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from agno.agent import Agent
from agno.models.base import Model
from agno.models.response import ModelResponse
from agno.team import Team
from agno.tools.function import Function, FunctionCall

from mutx_agent import Governor
from mutx_agent.adapters.agno import tool_hook
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World


class ScriptedAgno(Model):
    def __init__(self, turns: list[list[Call]]) -> None:
        super().__init__(id="scripted")
        self.told: list[str] = []
        self._turns = iter(enumerate(turns))

    def invoke(self, *args: Any, **options: Any) -> ModelResponse:
        messages = options.get("messages") or (args[0] if args else [])
        self.told[:] = [str(message.content) for message in messages if message.role == "tool"]
        turn, calls = next(self._turns, (-1, []))
        asked = [
            {
                "id": f"{turn}-{n}",
                "type": "function",
                "function": {"name": call.tool, "arguments": json.dumps(call.args)},
            }
            for n, call in enumerate(calls)
        ]
        return ModelResponse(role="assistant", content=None if asked else "done", tool_calls=asked)

    async def ainvoke(self, *args: Any, **options: Any) -> ModelResponse:
        return self.invoke(*args, **options)

    def invoke_stream(self, *args: Any, **options: Any) -> Iterator[ModelResponse]:
        yield self.invoke(*args, **options)

    async def ainvoke_stream(self, *args: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        yield self.invoke(*args, **options)

    def _parse_provider_response(self, response: Any, **options: Any) -> ModelResponse:
        return response  # type: ignore[no-any-return]

    def _parse_provider_response_delta(self, response: Any) -> ModelResponse:
        return response  # type: ignore[no-any-return]


class AgnoDriver(Driver):
    name = "agno"
    distributions = ("agno",)
    hook = "Agent(tool_hooks=[...]) (`tool_hook`)"
    patch = "agno.tools.function.FunctionCall.execute and aexecute"
    absent: ClassVar = {}
    handoff_tools = frozenset({"delegate_task_to_member"})
    out_of_reach = "tools that the model's provider runs"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agent, models = self._agent(scenario, world, governor)
        assert agent.run("write the note").content.endswith("done")
        return [text for model in models for text in model.told]

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agent, models = self._agent(scenario, world, governor)
        if scenario.mode == "stream":
            events = [event async for event in agent.arun("write the note", stream=True, stream_events=True)]
            assert any("done" in str(getattr(event, "content", "")) for event in events)
        else:
            assert (await agent.arun("write the note")).content.endswith("done")
        return [text for model in models for text in model.told]

    def _agent(self, scenario: Scenario, world: World, governor: Governor | None) -> tuple[Any, list[ScriptedAgno]]:
        hooks = None if governor is None else [tool_hook(governor)]
        # Where a tool has failed, the model asks again.
        models = [ScriptedAgno(scenario.turns * (2 if scenario.flaky else 1))]
        tools = self._tools(scenario, world, hooks)
        agent: Any = Agent(name="worker", model=models[0], tools=tools, tool_hooks=hooks, telemetry=False)
        if scenario.handoff:
            over = Call("delegate_task_to_member", {"member_id": "worker", "task": "write it"})
            models.append(ScriptedAgno([[over]]))
            agent = Team(members=[agent], model=models[1], tool_hooks=hooks, telemetry=False)
        return agent, models

    def _tools(self, scenario: Scenario, world: World, hooks: Any) -> list[Any]:
        def write(key: str, text: str) -> str:  # agents copy their tools, and a bound method would take its world along
            """Write a note."""
            return world.put(key, text)

        async def awrite(key: str, text: str) -> str:
            """Write a note."""
            return await world.aput(key, text)

        put = Function.from_callable(awrite if scenario.coroutines else write, name="put")

        def relay(key: str, text: str) -> str:
            """Pass it on."""
            inner = Function.from_callable(write, name="put")
            inner.tool_hooks = hooks
            call = FunctionCall(function=inner, arguments={"key": key, "text": text})
            outcome = call.execute()
            return str(outcome.result if outcome.status == "success" else outcome.error)

        return [put, relay] if scenario.nested else [put]


DRIVER = AgnoDriver()
