"""What an installed adapter adds to one tool call, beside the framework's bare call of the same tool.

The control plane answers at once and is no part of the figure: it is measured in `decision` and `doors`. What is left is
the hook, the description of the call as JSON, two questions (decide, conclude) and, for coroutines, the thread that keeps
each question off the event loop.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.harness import Plan, Result, result
from mutx_agent import Governor, hooks
from mutx_agent.transport.base import Json, Transport

CALLS = 400
ARGUMENTS = {"key": "note", "text": "a text of some length, as tools are given"}
GATE_US = 2000.0

Measure = Callable[[int], Awaitable[float]]
"""How many calls -> seconds per call."""


class AtOnce(Transport):
    """Allows everything without a moment's thought."""

    def call(self, verb: str, body: Json) -> Json:
        return {**body, "decision": "allow", "reason": "", "permit": "p", "receipt_id": ""} if verb == "decide" else {}


def put(key: str, text: str) -> str:
    """Write a note."""
    return key


async def _repeat(count: int, call: Callable[[], Awaitable[object]]) -> float:
    await call()
    started = time.perf_counter()
    for _ in range(count):
        await call()
    return (time.perf_counter() - started) / count


async def langchain(count: int) -> float:
    """A tool without a coroutine, run synchronously."""
    from langchain_core.tools import StructuredTool

    tool = StructuredTool.from_function(put)
    call = {"type": "tool_call", "name": "put", "args": ARGUMENTS, "id": "call-1"}
    tool.invoke(call)
    started = time.perf_counter()
    for _ in range(count):
        tool.invoke(call)
    return (time.perf_counter() - started) / count


async def openai_agents(count: int) -> float:
    import json

    from agents import function_tool
    from agents.tool import invoke_function_tool
    from agents.tool_context import ToolContext

    tool, text = function_tool(put), json.dumps(ARGUMENTS)
    context: Any = ToolContext(context=None, tool_name="put", tool_call_id="call-1", tool_arguments=text)
    return await _repeat(count, lambda: invoke_function_tool(function_tool=tool, context=context, arguments=text))


async def pydantic_ai(count: int) -> float:
    from pydantic_ai import Agent, RunContext
    from pydantic_ai.messages import ToolCallPart
    from pydantic_ai.models.test import TestModel

    measured: list[float] = []

    async def many(context: RunContext[None]) -> str:
        """The framework's own way for a tool to call another one, many times."""
        manager = context.tool_manager
        assert manager is not None
        measured.append(await _repeat(count, lambda: manager.handle_call(ToolCallPart("put", ARGUMENTS))))
        return "done"

    await Agent(TestModel(call_tools=["many"]), tools=[put, many]).run("measure")
    return measured[0]


async def mcp(count: int) -> float:
    from mcp import Client
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("bench")
    server.tool()(put)
    async with Client(server) as client:
        return await _repeat(count, lambda: client.call_tool("put", dict(ARGUMENTS)))


MEASURED: dict[str, Measure] = {
    "langchain": langchain,
    "mcp": mcp,
    "openai_agents": openai_agents,
    "pydantic_ai": pydantic_ai,
}


def run(plan: Plan) -> list[Result]:
    return [_added(name, measure, plan) for name, measure in MEASURED.items()]


def _added(name: str, measure: Measure, plan: Plan) -> Result:
    count = plan.count(CALLS)
    bare, added = [], []
    for _ in range(plan.rounds):
        bare.append(asyncio.run(measure(count)) * 1e6)
        uninstall = hooks.install(name, Governor(AtOnce(), agent_id="bench"))
        try:
            added.append(asyncio.run(measure(count)) * 1e6 - bare[-1])
        finally:
            uninstall()
    typical = sorted(bare)[len(bare) // 2]
    against = f"the framework's bare call of the same tool, {typical:.0f} us in this run"
    return result(f"adapter_{name}_added_us", added, "us", against, GATE_US)
