"""Pydantic AI agents with a function as their model."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from pydantic_ai import Agent, ModelRetry, RunContext, Tool
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from mutx_agent import Governor
from mutx_agent.adapters.pydantic_ai import GovernCapability
from tests.frameworks.driver import Driver, Scenario
from tests.frameworks.world import World


class PydanticAIDriver(Driver):
    name = "pydantic_ai"
    distributions = ("pydantic-ai-slim",)
    hook = "AbstractCapability.wrap_tool_execute (`GovernCapability`)"
    patch = "pydantic_ai.tool_manager.ToolManager._raw_execute"
    out_of_reach = "tools that the provider runs; output functions are a run's answer and not decided"
    handoff_tools = frozenset({"delegate"})

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        loop = asyncio.new_event_loop()  # run_sync would leave one open behind it
        asyncio.set_event_loop(loop)
        try:
            return _told(_agent(self, scenario, world, governor).run_sync("write the note"))
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agent = _agent(self, scenario, world, governor)
        if scenario.mode != "stream":
            return _told(await agent.run("write the note"))
        async with agent.run_stream("write the note") as streaming:
            assert "".join([text async for text in streaming.stream_text(delta=True)]) == "done"
            return _answers(streaming.all_messages())


def _agent(driver: Driver, scenario: Scenario, world: World, governor: Governor | None) -> Any:
    body = driver.put_of(scenario, world)
    tools: list[Any] = [Tool(_again(body) if scenario.flaky else body, name="put", max_retries=1)]
    if scenario.nested:
        tools.append(Tool(relay, takes_ctx=True))
    capabilities: list[Any] = [] if governor is None else [GovernCapability(governor)]
    worker = Agent(_model(scenario.turns * (2 if scenario.flaky else 1)), tools=tools, capabilities=capabilities)
    if not scenario.handoff:
        return worker

    async def delegate(task: str) -> str:
        """Have the worker do it."""
        return " / ".join(_told(await worker.run(task)))

    asks = [[ToolCallPart("delegate", {"task": "write it"})]]
    return Agent(_replay(asks), tools=[Tool(delegate)], capabilities=capabilities)


async def relay(context: RunContext[None], key: str, text: str) -> str:
    """Pass it on."""
    assert context.tool_manager is not None
    return str(await context.tool_manager.handle_call(ToolCallPart("put", {"key": key, "text": text})))


def _again(put: Any) -> Any:
    """The framework's way to have a call made again: tell the model."""

    def again(key: str, text: str) -> str:
        """Write a note."""
        try:
            return str(put(key, text))
        except OSError as error:
            raise ModelRetry(str(error)) from error

    return again


def _model(turns: list[list[Any]]) -> FunctionModel:
    return _replay([[ToolCallPart(call.tool, call.args) for call in calls] for calls in turns])


def _replay(turns: list[list[ToolCallPart]]) -> FunctionModel:
    left = iter(turns)

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(next(left, [TextPart("done")]))

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        calls = next(left, None)
        if calls is None:
            yield "done"
            return
        for number, call in enumerate(calls):
            yield {number: DeltaToolCall(call.tool_name, call.args_as_json_str(), tool_call_id=call.tool_call_id)}

    return FunctionModel(answer, stream_function=stream)


def _told(result: Any) -> list[str]:
    assert result.output == "done"
    return _answers(result.all_messages())


def _answers(messages: list[ModelMessage]) -> list[str]:
    return [str(part.content) for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]


DRIVER = PydanticAIDriver()
