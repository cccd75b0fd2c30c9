"""Tool calls of the frameworks that the development environment has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from benchmarks.calls import ARGUMENTS, Measure, atimed, put, timed


async def langchain(count: int) -> float:
    """A tool without a coroutine, run synchronously."""
    from langchain_core.tools import StructuredTool

    tool = StructuredTool.from_function(put)
    call = {"type": "tool_call", "name": "put", "args": dict(ARGUMENTS), "id": "call-1"}
    return timed(count, lambda: tool.invoke(call))


async def openai_agents(count: int) -> float:
    import json

    from agents import function_tool
    from agents.tool import invoke_function_tool
    from agents.tool_context import ToolContext

    tool, text = function_tool(put), json.dumps(dict(ARGUMENTS))
    context: Any = ToolContext(context=None, tool_name="put", tool_call_id="call-1", tool_arguments=text)
    return await atimed(count, lambda: invoke_function_tool(function_tool=tool, context=context, arguments=text))


async def pydantic_ai(count: int) -> float:
    from pydantic_ai import Agent, RunContext
    from pydantic_ai.messages import ToolCallPart
    from pydantic_ai.models.test import TestModel

    measured: list[float] = []

    async def many(context: RunContext[None]) -> str:
        """The framework's own way for a tool to call another one, many times."""
        manager = context.tool_manager
        assert manager is not None
        measured.append(await atimed(count, lambda: manager.handle_call(ToolCallPart("put", dict(ARGUMENTS)))))
        return "done"

    await Agent(TestModel(call_tools=["many"]), tools=[put, many]).run("measure")
    return measured[0]


async def mcp(count: int) -> float:
    from mcp import Client
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("bench")
    server.tool()(put)
    async with Client(server) as client:
        return await atimed(count, lambda: client.call_tool("put", dict(ARGUMENTS)))


MEASURED: Mapping[str, Measure] = MappingProxyType(
    {"langchain": langchain, "mcp": mcp, "openai_agents": openai_agents, "pydantic_ai": pydantic_ai}
)
