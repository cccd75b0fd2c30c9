"""Strands agents with a scripted model."""

import json
from typing import Any

from strands import Agent, ToolContext, tool
from strands.hooks import AfterToolCallEvent
from strands.middleware import ExecuteToolStage
from strands.models import Model

from mutx_agent import Governor
from mutx_agent.adapters.strands import tool_middleware
from tests.frameworks.driver import Driver, Scenario
from tests.frameworks.world import World


class ScriptedModel(Model):
    """Streams its turns one after another, then `done`."""

    def __init__(self, turns: list[list[Any]]) -> None:
        self._turns = list(enumerate(turns))

    def update_config(self, **model_config: Any) -> None:
        return

    def get_config(self) -> Any:
        return {}

    async def structured_output(self, *args: Any, **kwargs: Any) -> Any:
        yield {"output": None}

    async def stream(self, *args: Any, **kwargs: Any) -> Any:
        yield {"messageStart": {"role": "assistant"}}
        turn, calls = self._turns.pop(0) if self._turns else (0, [])
        for number, call in enumerate(calls):
            use = {"name": call.tool, "toolUseId": f"call-{turn}-{number}"}
            yield {"contentBlockStart": {"start": {"toolUse": use}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(call.args)}}}}
            yield {"contentBlockStop": {}}
        if not calls:
            yield {"contentBlockStart": {"start": {}}}
            yield {"contentBlockDelta": {"delta": {"text": "done"}}}
            yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if calls else "end_turn"}}


class StrandsDriver(Driver):
    name = "strands"
    distributions = ("strands-agents",)
    hook = "ExecuteToolStage middleware (`tool_middleware`)"
    patch = "strands.tools.executors._executor._run_tool and DecoratedFunctionTool.__call__"
    out_of_reach = "tools that the model's provider runs"
    handoff_tools = frozenset({"worker"})

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agent, agents = self._agent(scenario, world, governor)
        assert str(agent("write the note")).strip() == "done"
        return _told(agents)

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agent, agents = self._agent(scenario, world, governor)
        if scenario.mode == "stream":
            events = [event async for event in agent.stream_async("write the note")]
            assert "".join(event.get("data", "") for event in events) == "done"
        else:
            assert str(await agent.invoke_async("write the note")).strip() == "done"
        return _told(agents)

    def _agent(self, scenario: Scenario, world: World, governor: Governor | None) -> tuple[Agent, list[Agent]]:
        """The agent to be asked, and all whose models are told of results."""
        tools = [tool(self.put_of(scenario, world), name="put")]
        if scenario.nested:
            tools.append(relay)
        worker = self._one("worker", scenario.turns, tools, governor)
        if scenario.flaky:
            worker.hooks.add_callback(AfterToolCallEvent, _again)
        if not scenario.handoff:
            return worker, [worker]
        asks = [[_Ask("worker", {"input": "write it"})]]
        first = self._one("first", asks, [worker.as_tool(name="worker")], governor)
        return first, [first, worker]

    def _one(self, name: str, turns: list[Any], tools: list[Any], governor: Governor | None) -> Agent:
        agent = Agent(model=ScriptedModel(turns), tools=tools, callback_handler=None, name=name)
        if governor is not None:
            agent.add_middleware(ExecuteToolStage, tool_middleware(governor))
        return agent


class _Ask:
    def __init__(self, name: str, args: dict[str, str]) -> None:
        self.tool, self.args = name, args


@tool(context=True)
def relay(key: str, text: str, tool_context: ToolContext) -> str:
    """Pass it on."""
    answer = tool_context.agent.tool.put(key=key, text=text, record_direct_tool_call=False)
    return " ".join(part["text"] for part in answer["content"])


def _again(event: AfterToolCallEvent) -> None:
    """The framework's retry: whatever failed in the tool itself is run once more."""
    event.retry = isinstance(event.exception, OSError)


def _told(agents: list[Agent]) -> list[str]:
    parts = [part for agent in agents for message in agent.messages for part in message["content"]]
    results = [part["toolResult"] for part in parts if "toolResult" in part]
    return [part["text"] for result in results for part in result["content"]]


DRIVER = StrandsDriver()
