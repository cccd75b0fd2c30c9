"""smolagents: a `ToolCallingAgent`, and a `CodeAgent` where the path is the plain synchronous one, with a scripted model."""

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

from smolagents import ChatMessage, CodeAgent, MessageRole, Model, Tool, ToolCallingAgent
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction

from mutx_agent import Governor
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World

NOTE: dict[str, dict[str, Any]] = {
    "key": {"type": "string", "description": "where"},
    "text": {"type": "string", "description": "what"},
}


class PutTool(Tool):
    name, description, output_type, inputs = "put", "Write a note.", "string", NOTE

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def forward(self, key: str, text: str) -> str:
        return self._world.put(key, text)


class RelayTool(Tool):
    name, description, output_type, inputs = "relay", "Pass it on.", "string", NOTE

    def __init__(self, put: PutTool) -> None:
        super().__init__()
        self._put = put

    def forward(self, key: str, text: str) -> str:
        return str(self._put(key, text))


class ScriptedSmol(Model):
    """Asks for tools turn by turn, as calls or as code, and then for the final answer."""

    def __init__(self, turns: list[list[Call]], *, code: bool = False) -> None:
        super().__init__()
        self._turns: Iterator[list[Call]] = iter([*turns, [Call("final_answer", {"answer": "done"})]])
        self._code = code

    def generate(self, messages: Any, *args: Any, **options: Any) -> ChatMessage:
        calls = next(self._turns)
        if self._code:
            lines = [f"print({call.tool}(**{call.args!r}))" for call in calls]
            return ChatMessage(MessageRole.ASSISTANT, "<code>\n" + "\n".join(lines) + "\n</code>")
        asked = [
            ChatMessageToolCall(
                function=ChatMessageToolCallFunction(name=call.tool, arguments=dict(call.args)),
                id=f"call-{n}",
                type="function",
            )
            for n, call in enumerate(calls)
        ]
        return ChatMessage(MessageRole.ASSISTANT, tool_calls=asked)


class SmolagentsDriver(Driver):
    name = "smolagents"
    distributions = ("smolagents",)
    patch = "__call__ of every smolagents.tools.BaseTool, smolagents.agents.MultiStepAgent.__call__"
    absent: ClassVar = {
        "async": "agents and tools are synchronous",
        "async, sync tool": "agents and tools are synchronous",
    }
    handoff_tools = frozenset({"worker"})
    out_of_reach = (
        "what else the code of a CodeAgent does (that is a matter of its sandbox), and tools inside remote executors"
    )

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        # Where a tool has failed, the model asks again.
        turns = scenario.turns * (2 if scenario.flaky else 1)
        put = PutTool(world)
        tools: list[Any] = [put, RelayTool(put)] if scenario.nested else [put]
        quiet: dict[str, Any] = {"verbosity_level": -1}
        agent: Any
        if scenario.path == "sync":
            agent = CodeAgent(tools, ScriptedSmol(turns, code=True), **quiet)
        else:
            agent = ToolCallingAgent(tools, ScriptedSmol(turns), **quiet)
        agents = [agent]
        if scenario.handoff:
            agent.name, agent.description = "worker", "Writes."
            over = ScriptedSmol([[Call("worker", {"task": "write it"})]])
            agents.append(ToolCallingAgent([], over, managed_agents=[agent], **quiet))
        if scenario.mode == "stream":
            steps = list(agents[-1].run("write the note", stream=True))
            assert steps[-1].output == "done"
        else:
            assert agents[-1].run("write the note") == "done"
        return [text for one in agents for text in _told(one)]

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        return await asyncio.to_thread(self.run, scenario, world, governor)


def _told(agent: Any) -> Iterator[str]:
    for step in agent.memory.steps:
        yield from (str(getattr(step, name)) for name in ("observations", "error") if getattr(step, name, None))


DRIVER = SmolagentsDriver()
