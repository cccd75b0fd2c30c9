"""AG2 with its own scripted model configuration."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from ag2 import Agent, Context, tool
from ag2.events import ModelMessageChunk, ToolCallEvent, ToolResultEvent
from ag2.middleware import Middleware
from ag2.stream import MemoryStream
from ag2.testing import TestConfig

from mutx_agent import Governor
from mutx_agent.adapters.ag2 import GovernMiddleware
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World


class AG2Driver(Driver):
    name = "ag2"
    distributions = ("ag2",)
    hook = "BaseMiddleware.on_tool_execution (`GovernMiddleware`)"
    patch = "__call__ of every ag2.tools.tool.Tool that runs in this process"
    absent: ClassVar = {
        "sync": "agents and tool execution are asynchronous",
        "hook:nested": "middleware sees what the model calls, not what a tool's own code runs",
    }
    handoff_tools = frozenset({"task_worker"})
    out_of_reach = "builtin tools that the model's provider runs"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        return asyncio.run(self.arun(scenario, world, governor))

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        middleware = [] if governor is None else [Middleware(GovernMiddleware, governor=governor)]
        heard = MemoryStream()
        # Where a tool has failed, the model asks again.
        turns = scenario.turns * (2 if scenario.flaky else 1)
        agent: Any = Agent("worker", config=_script(turns), tools=self._tools(scenario, world), middleware=middleware)
        if scenario.handoff:
            over = Call("task_worker", {"objective": "write it"})
            helper = agent.as_tool(description="Writes.", stream=heard)
            agent = Agent("first", config=_script([[over]]), tools=[helper], middleware=middleware)
        first = MemoryStream() if scenario.handoff else heard
        if scenario.mode == "stream":
            async with _observed(agent, first) as chunks, agent.run("write the note", stream=first) as turn:
                reply = await turn.result()
            assert chunks
        else:
            reply = await agent.ask("write the note", stream=first)
        assert reply.body == "done"
        streams = [first, heard] if scenario.handoff else [first]
        events = [event for stream in streams for event in await stream.history.get_events()]
        return [str(event.result.parts) for event in events if isinstance(event, ToolResultEvent)]

    def _tools(self, scenario: Scenario, world: World) -> list[Any]:
        def write(
            key: str, text: str
        ) -> str:  # agents copy their tools, which a bound method would take its world along
            return world.put(key, text)

        async def awrite(key: str, text: str) -> str:
            return await world.aput(key, text)

        put = tool(awrite if scenario.coroutines else write, name="put", description="Write a note.")

        @tool
        async def relay(key: str, text: str, context: Context) -> str:
            """Pass it on."""
            answer = await put(ToolCallEvent("put", arguments=json.dumps({"key": key, "text": text})), context)
            return str(answer.result.parts)

        return [put, relay] if scenario.nested else [put]


@asynccontextmanager
async def _observed(agent: Any, stream: MemoryStream) -> AsyncIterator[list[str]]:
    chunks: list[str] = []

    async def note(event: ModelMessageChunk) -> None:
        chunks.append(event.content)

    stream.where(ModelMessageChunk).subscribe(note)
    yield chunks


def _script(turns: list[list[Call]]) -> TestConfig:
    return TestConfig(*_events(turns), raise_tool_errors=False)


def _events(turns: list[list[Call]]) -> Iterator[Any]:
    for calls in turns:
        yield ModelMessageChunk("one moment")
        yield [ToolCallEvent(call.tool, arguments=json.dumps(call.args)) for call in calls]
    yield "done"


DRIVER = AG2Driver()
