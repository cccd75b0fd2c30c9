"""Microsoft Agent Framework with a scripted chat client below its own function calling layer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    FunctionTool,
    Message,
    ResponseStream,
)

from mutx_agent import ActionDenied, Governor
from mutx_agent.adapters.agent_framework import GovernMiddleware
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World


class ScriptedClient(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    def __init__(self, turns: list[list[Call]]) -> None:
        super().__init__()
        self._turns = iter(enumerate(turns))

    def _inner_get_response(self, *, messages: Any, stream: bool, **unused: Any) -> Any:
        turn, calls = next(self._turns, (-1, []))
        contents: list[Any] = [
            Content.from_function_call(call_id=f"{turn}-{n}", name=call.tool, arguments=dict(call.args))
            for n, call in enumerate(calls)
        ] or [Content.from_text("done")]
        if stream:
            return ResponseStream(_updates(contents), finalizer=ChatResponse.from_updates)
        return _response(contents)


async def _updates(contents: list[Any]) -> AsyncIterator[ChatResponseUpdate]:
    for content in contents:
        yield ChatResponseUpdate(role="assistant", contents=[content])


async def _response(contents: list[Any]) -> ChatResponse[Any]:
    return ChatResponse(messages=[Message("assistant", contents)])


class AgentFrameworkDriver(Driver):
    name = "agent_framework"
    distributions = ("agent-framework-core",)
    hook = "FunctionMiddleware.process (`GovernMiddleware`)"
    patch = "agent_framework.FunctionTool.invoke and __call__"
    absent: ClassVar = {
        "hook:sync": "agents are asynchronous; middleware does not see code that calls a function tool itself",
        "hook:nested": "middleware sees what the model calls, not what a function's own code runs",
    }
    handoff_tools = frozenset({"worker"})
    out_of_reach = "tools that the model's provider hosts"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        """The synchronous way is code that calls a function tool; threads each run an agent of their own."""
        if scenario.path != "sync":
            return asyncio.run(self.arun(scenario, world, governor))
        put = self._put(scenario, world)
        try:
            return [str(put(**call.args)) for calls in scenario.turns for call in calls]
        except ActionDenied as denial:
            return [str(denial)]

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        put = self._put(scenario, world)

        async def relay(key: str, text: str) -> str:
            """Pass it on."""
            return str((await put.invoke(arguments={"key": key, "text": text}))[0].text)

        tools: list[Any] = [put, FunctionTool(name="relay", func=relay)] if scenario.nested else [put]
        middleware = [GovernMiddleware(governor)] if governor is not None else []
        first: list[str] = []
        told: list[str] = []
        # Where a tool has failed, the model asks again.
        client = Heard(scenario.turns * (2 if scenario.flaky else 1), told)
        agent: Any = Agent(client=client, name="worker", tools=tools, middleware=middleware)
        if scenario.handoff:
            over = Heard([[Call("worker", {"task": "write it"})]], first)
            agent = Agent(client=over, tools=[agent.as_tool()], middleware=middleware)
        if scenario.mode == "stream":
            final = await agent.run("write the note", stream=True).get_final_response()
        else:
            final = await agent.run("write the note")
        assert final.text.endswith("done")
        return first + told

    def _put(self, scenario: Scenario, world: World) -> FunctionTool:
        return FunctionTool(name="put", description="Write a note.", func=self.put_of(scenario, world))


class Heard(ScriptedClient):
    """Notes what the model is told."""

    def __init__(self, turns: list[list[Call]], told: list[str]) -> None:
        super().__init__(turns)
        self._told = told

    def _inner_get_response(self, *, messages: Any, stream: bool, **options: Any) -> Any:
        contents = [content for message in messages for content in message.contents]
        self._told[:] = [str(c.result) for c in contents if c.type == "function_result"]
        return super()._inner_get_response(messages=messages, stream=stream, **options)


DRIVER = AgentFrameworkDriver()
