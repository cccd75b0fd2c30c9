"""Tool calls of the frameworks that have environments of their own."""

import json
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from benchmarks.calls import ARGUMENTS, Measure, atimed, put, timed


async def ag2(count: int) -> float:
    from ag2 import Agent, Context, tool
    from ag2.events import ToolCallEvent
    from ag2.testing import TestConfig

    measured: list[float] = []
    asked = tool(put, name="put", description="Write a note.")

    @tool
    async def many(context: Context) -> str:
        """Calls another tool, many times."""
        call = ToolCallEvent("put", arguments=json.dumps(dict(ARGUMENTS)))
        measured.append(await atimed(count, lambda: asked(call, context)))
        return "done"

    script = TestConfig(ToolCallEvent("many"), "done", raise_tool_errors=False)
    await Agent("bench", config=script, tools=[many]).ask("measure")
    return measured[0]


async def agent_framework(count: int) -> float:
    from agent_framework import FunctionTool

    tool = FunctionTool(name="put", description="Write a note.", func=put)
    return await atimed(count, lambda: tool.invoke(arguments=dict(ARGUMENTS)))


async def agno(count: int) -> float:
    from agno.tools.function import Function, FunctionCall

    function = Function.from_callable(put)
    return timed(count, lambda: FunctionCall(function=function, arguments=dict(ARGUMENTS)).execute())


async def autogen(count: int) -> float:
    from autogen_core import CancellationToken
    from autogen_core.tools import FunctionTool

    tool = FunctionTool(put, "Write a note.")
    return await atimed(count, lambda: tool.run_json(dict(ARGUMENTS), CancellationToken()))


async def claude_agent_sdk(count: int) -> float:
    """From one call of a tool to the next, the model's turn between them on loopback included: there is no other way in."""
    from tests.frameworks.driver import Call, Scenario
    from tests.frameworks.drivers.claude_agent_sdk import DRIVER

    class Stamps:
        def __init__(self) -> None:
            self.at: list[float] = []

        async def aput(self, key: str, text: str) -> str:
            self.at.append(time.perf_counter())
            return put(key, text)

    world: Any = Stamps()
    turns = [[Call("put", dict(ARGUMENTS))] for _ in range(count + 1)]
    await DRIVER.arun(Scenario("async", turns, coroutines=True), world, None)
    found: float = (world.at[-1] - world.at[0]) / count
    return found


async def coinbase_agentkit(count: int) -> float:
    from coinbase_agentkit import ActionProvider, create_action
    from coinbase_agentkit.action_providers import action_decorator

    action_decorator.send_analytics_event = lambda event: None

    class Notes(ActionProvider):
        @create_action("put", "Write a note.")
        def put(self, args: dict[str, Any]) -> str:
            return put(**args)

        def supports_network(self, network: Any) -> bool:
            return True

    wallet: Any = None
    (action,) = Notes("notes", []).get_actions(wallet)
    return timed(count, lambda: action.invoke(dict(ARGUMENTS)))


async def crewai(count: int) -> float:
    from crewai.tools import tool

    asked = tool("put")(put)
    return timed(count, lambda: asked.run(**ARGUMENTS))


async def dspy(count: int) -> float:
    from dspy import Tool

    tool = Tool(put)
    return timed(count, lambda: tool(**ARGUMENTS))


async def google_adk(count: int) -> float:
    from google.adk.tools import FunctionTool

    tool, context = FunctionTool(put), None
    return await atimed(count, lambda: tool.run_async(args=dict(ARGUMENTS), tool_context=context))


async def haystack(count: int) -> float:
    from haystack.tools import create_tool_from_function

    tool = create_tool_from_function(put)
    return timed(count, lambda: tool.invoke(**ARGUMENTS))


async def llama_index(count: int) -> float:
    from llama_index.core.tools import FunctionTool

    tool = FunctionTool.from_defaults(put)
    return timed(count, lambda: tool.call(**ARGUMENTS))


async def mem0(count: int) -> float:
    """Reading one memory out of a store that has none."""
    from mem0.memory import main

    main.capture_event = main.display_first_run_notice = lambda *unused, **more: None

    class Store:
        def get(self, **unused: Any) -> None:
            return

    memory: Any = object.__new__(main.Memory)
    memory.vector_store = Store()
    return timed(count, lambda: memory.get("nothing"))


async def semantic_kernel(count: int) -> float:
    from semantic_kernel import Kernel
    from semantic_kernel.functions import KernelArguments, kernel_function

    kernel = Kernel()
    asked = kernel.add_function("notes", kernel_function(put))
    return await atimed(count, lambda: asked.invoke(kernel, KernelArguments(**ARGUMENTS)))


async def smolagents(count: int) -> float:
    from smolagents import Tool

    note = {name: {"type": "string", "description": name} for name in ARGUMENTS}

    class Put(Tool):
        name, description, output_type, inputs = "put", "Write a note.", "string", note

        def forward(self, key: str, text: str) -> str:
            return key

    tool = Put()
    return timed(count, lambda: tool(**ARGUMENTS))


async def strands(count: int) -> float:
    """A decorated tool that code calls."""
    from strands import tool

    asked = tool(put)
    return timed(count, lambda: asked(**ARGUMENTS))


MEASURED: Mapping[str, Measure] = MappingProxyType(
    {
        measure.__name__: measure
        for measure in (
            ag2,
            agent_framework,
            agno,
            autogen,
            claude_agent_sdk,
            coinbase_agentkit,
            crewai,
            dspy,
            google_adk,
            haystack,
            llama_index,
            mem0,
            semantic_kernel,
            smolagents,
            strands,
        )
    }
)
