"""Haystack agents with its own mock of a chat generator."""

from collections.abc import Iterator
from typing import Any, ClassVar

from haystack.components.agents import Agent
from haystack.components.generators.chat import MockChatGenerator
from haystack.dataclasses import ChatMessage, StreamingChunk, ToolCall
from haystack.tools import ComponentTool, Tool

from mutx_agent import Governor
from mutx_agent.adapters.haystack import governed_tools
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World

TEXT = {"type": "string"}
NOTE: dict[str, Any] = {"type": "object", "properties": {"key": TEXT, "text": TEXT}, "required": ["key", "text"]}


class HaystackDriver(Driver):
    name = "haystack"
    distributions = ("haystack-ai",)
    hook = "Tool.function and Tool.async_function (`governed_tools`)"
    patch = "invoke and invoke_async of every haystack.tools.tool.Tool"
    absent: ClassVar = {}
    handoff_tools = frozenset({"worker"})

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agents, options = self._agents(scenario, world, governor)
        return _told(agents[-1].run(messages=[ChatMessage.from_user("write the note")], **options))

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        agents, options = self._agents(scenario, world, governor)
        chunks: list[StreamingChunk] = []
        if scenario.mode == "stream":

            async def hear(chunk: StreamingChunk) -> None:
                chunks.append(chunk)

            options["streaming_callback"] = hear
        answer = await agents[-1].run_async(messages=[ChatMessage.from_user("write the note")], **options)
        assert chunks or scenario.mode != "stream"
        return _told(answer)

    def _agents(self, scenario: Scenario, world: World, governor: Governor | None) -> tuple[list[Any], dict[str, Any]]:
        def governed(tools: list[Any]) -> list[Any]:
            return tools if governor is None else governed_tools(tools, governor)

        # Where a tool has failed, the model asks again.
        model = _model(scenario.turns * (2 if scenario.flaky else 1))
        worker: Any = Agent(chat_generator=model, tools=self._tools(scenario, world, governed))
        if not scenario.handoff:
            return [worker], {}
        text = {"source": "messages", "handler": lambda messages: " / ".join(_results(messages))}
        helper = ComponentTool(worker, name="worker", description="Writes.", outputs_to_string=text)
        task = {"messages": [{"role": "user", "content": [{"text": "write it"}]}]}
        over = _model([[Call("worker", task)]])  # type: ignore[arg-type]
        return [worker, Agent(chat_generator=over, tools=governed([helper]))], {}

    def _tools(self, scenario: Scenario, world: World, governed: Any) -> list[Any]:
        body = "async_function" if scenario.coroutines else "function"
        kind: dict[str, Any] = {body: self.put_of(scenario, world)}
        (put,) = governed([Tool(name="put", description="Write a note.", parameters=NOTE, **kind)])

        def relay(key: str, text: str) -> str:
            return str(put.invoke(key=key, text=text))

        passing = Tool(name="relay", description="Pass it on.", parameters=NOTE, function=relay)
        return [put, *governed([passing])] if scenario.nested else [put]


def _model(turns: list[list[Call]]) -> MockChatGenerator:
    asked = [
        ChatMessage.from_assistant(
            tool_calls=[ToolCall(call.tool, dict(call.args), id=f"{turn}-{n}") for n, call in enumerate(calls)]
        )
        for turn, calls in enumerate(turns)
    ]
    return MockChatGenerator([*asked, "done"])


def _results(messages: list[ChatMessage]) -> Iterator[str]:
    for message in messages:
        yield from (str(result.result) for result in message.tool_call_results)


def _told(answer: dict[str, Any]) -> list[str]:
    assert answer["last_message"].text == "done"
    return list(_results(answer["messages"]))


DRIVER = HaystackDriver()
