"""OpenAI Agents SDK with its own scripted model."""

import asyncio
from typing import Any, ClassVar

from agents import Agent, RunConfig, Runner, function_tool, handoff
from agents.items import ToolCallOutputItem
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.tool_context import ToolContext

from mutx_agent import Governor
from mutx_agent.adapters.openai_agents import governed_tools
from tests.frameworks.driver import Driver, Scenario
from tests.frameworks.world import World

QUIET = RunConfig(tracing_disabled=True)


class OpenAIAgentsDriver(Driver):
    name = "openai_agents"
    distributions = ("openai-agents",)
    hook = "FunctionTool.on_invoke_tool (`governed_tools`)"
    patch = (
        "agents.tool._invoke_function_tool_with_metadata (both names) and the invoker of @function_tool; "
        "the executors of shell, apply_patch, computer and custom tools"
    )
    absent: ClassVar = {}
    out_of_reach = "tools that the provider runs: web and file search, code interpreter, image generation, hosted MCP"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        loop = asyncio.new_event_loop()  # run_sync would leave one open behind it
        asyncio.set_event_loop(loop)
        try:
            return _told(Runner.run_sync(self._agent(scenario, world, governor), "write the note", run_config=QUIET))
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agent = self._agent(scenario, world, governor)
        if scenario.mode != "stream":
            return _told(await Runner.run(agent, "write the note", run_config=QUIET))
        streaming = Runner.run_streamed(agent, "write the note", run_config=QUIET)
        async for _ in streaming.stream_events():
            pass
        return _told(streaming)

    def _agent(self, scenario: Scenario, world: World, governor: Governor | None) -> Agent[Any]:
        tools: list[Any] = [function_tool(self.put_of(scenario, world), name_override="put")]
        if governor is not None:
            tools = governed_tools(tools, governor)
        if scenario.nested:
            relay = _relay(tools[0])
            tools.append(relay if governor is None else governed_tools([relay], governor)[0])
        turns = scenario.turns * (2 if scenario.flaky else 1)
        worker = Agent(name="worker", tools=tools, model=_model(turns))
        if not scenario.handoff:
            return worker
        over = handoff(worker)
        first = [function_call(over.tool_name, "{}", call_id="over")]
        return Agent(name="first", handoffs=[over], model=ScriptedModel([first]))


def _relay(put: Any) -> Any:
    @function_tool
    async def relay(context: ToolContext[Any], key: str, text: str) -> str:
        """Pass it on."""
        return str(await put.on_invoke_tool(context, context.tool_arguments))

    return relay


def _model(turns: list[list[Any]]) -> ScriptedModel:
    steps: list[Any] = [
        [function_call(call.tool, call.args, call_id=f"{turn}-{n}") for n, call in enumerate(calls)]
        for turn, calls in enumerate(turns)
    ]
    return ScriptedModel([*steps, [assistant_message("done")]])


def _told(result: Any) -> list[str]:
    assert result.final_output == "done"
    return [str(item.output) for item in result.new_items if isinstance(item, ToolCallOutputItem)]


DRIVER = OpenAIAgentsDriver()
