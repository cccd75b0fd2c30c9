"""Semantic Kernel's `ChatCompletionAgent` with a scripted chat service below its own function calling loop."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from pydantic import PrivateAttr
from semantic_kernel import Kernel
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.contents import (
    AuthorRole,
    ChatMessageContent,
    FunctionCallContent,
    FunctionResultContent,
    StreamingChatMessageContent,
    StreamingTextContent,
    TextContent,
)
from semantic_kernel.filters import FilterTypes
from semantic_kernel.functions import kernel_function

from mutx_agent import Governor
from mutx_agent.adapters.semantic_kernel import function_filter
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World

logging.getLogger("semantic_kernel").setLevel(logging.CRITICAL + 1)


class ScriptedService(ChatCompletionClientBase):
    SUPPORTS_FUNCTION_CALLING: ClassVar[bool] = True
    _turns: Any = PrivateAttr()
    _told: list[str] = PrivateAttr()

    def __init__(self, turns: list[list[Call]], told: list[str]) -> None:
        super().__init__(ai_model_id="scripted", service_id="scripted")
        self._turns, self._told = iter(enumerate(turns)), told

    def _items(self, history: Any) -> Iterator[Any]:
        self._told[:] = [
            str(item.result)
            for message in history.messages
            for item in message.items
            if isinstance(item, FunctionResultContent)
        ]
        turn, calls = next(self._turns, (-1, []))
        for n, call in enumerate(calls):
            yield FunctionCallContent(id=f"{turn}-{n}", index=n, name=call.tool, arguments=json.dumps(call.args))

    async def _inner_get_chat_message_contents(self, chat_history: Any, settings: Any) -> list[ChatMessageContent]:
        items = list(self._items(chat_history)) or [TextContent(text="done")]
        return [ChatMessageContent(role=AuthorRole.ASSISTANT, items=items)]

    async def _inner_get_streaming_chat_message_contents(
        self, chat_history: Any, settings: Any, function_invoke_attempt: int = 0
    ) -> AsyncIterator[list[StreamingChatMessageContent]]:
        items = list(self._items(chat_history)) or [StreamingTextContent(text="done", choice_index=0)]
        message = StreamingChatMessageContent(role=AuthorRole.ASSISTANT, items=items, choice_index=0)
        message.function_invoke_attempt = function_invoke_attempt
        yield [message]


class SemanticKernelDriver(Driver):
    name = "semantic_kernel"
    distributions = ("semantic-kernel",)
    tool, relay = "notes-put", "notes-relay"
    hook = "FilterTypes.FUNCTION_INVOCATION (`function_filter`)"
    patch = "semantic_kernel.functions.KernelFunction.invoke and invoke_stream"
    absent: ClassVar = {"sync": "kernels, agents and function calls are asynchronous"}
    handoff_tools = frozenset({"worker-worker"})
    out_of_reach = "prompts that the program itself sends are not tool calls; tools that the model's provider runs"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        return asyncio.run(self.arun(scenario, world, governor))

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        told: list[str] = []
        # Where a function has failed, the model asks again.
        turns = scenario.turns * (2 if scenario.flaky else 1)
        asked = [[Call(f"notes-{call.tool}", call.args) for call in calls] for calls in turns]
        worker = _agent("worker", asked, told, governor)
        worker.kernel.add_plugin(_notes(scenario, world, worker.kernel), "notes")
        agent, first = worker, told
        if scenario.handoff:
            first = []
            agent = _agent("first", [[Call("worker-worker", {"messages": "write it"})]], first, governor)
            agent.kernel.add_plugin(worker, "worker")
        if scenario.mode == "stream":
            texts = [str(part.content) async for part in agent.invoke_stream("write the note")]
        else:
            texts = [str(part.content) async for part in agent.invoke("write the note")]
        assert "".join(texts).endswith("done")
        return told + first


def _agent(name: str, turns: list[list[Call]], told: list[str], governor: Governor | None) -> Any:
    kernel = Kernel()
    if governor is not None:
        kernel.add_filter(FilterTypes.FUNCTION_INVOCATION, function_filter(governor))
    return ChatCompletionAgent(name=name, description="Writes.", kernel=kernel, service=ScriptedService(turns, told))


def _notes(scenario: Scenario, world: World, kernel: Kernel) -> Any:
    class Notes:
        @kernel_function
        def put(self, key: str, text: str) -> str:
            """Write a note."""
            return world.put(key, text)

        @kernel_function
        async def relay(self, key: str, text: str) -> str:
            """Pass it on."""
            return str(await kernel.get_function("notes", "put")(kernel, key=key, text=text))

    class AsyncNotes:
        @kernel_function
        async def put(self, key: str, text: str) -> str:
            """Write a note."""
            return await world.aput(key, text)

    return AsyncNotes() if scenario.coroutines else Notes()


DRIVER = SemanticKernelDriver()
