"""Client sessions of the official MCP SDK with a server in memory. There is no model: the client asks for the calls."""

import asyncio
from typing import Any, ClassVar

from mcp import Client
from mcp.server.mcpserver import MCPServer

from mutx_agent import Governor
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World

ASYNC_ONLY = "client sessions of the SDK are asynchronous"


class McpDriver(Driver):
    name = "mcp"
    distributions = ("mcp",)
    patch = "mcp.client.session.ClientSession.send_request"
    absent: ClassVar = {
        "sync": ASYNC_ONLY,
        "streaming": "the result of a call comes whole",
        "handoff": "a client session has no agents",
    }
    out_of_reach = "clients that do not use this SDK (the MCP proxy decides their calls)"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        return asyncio.run(self.arun(scenario, world, governor))

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        server = MCPServer("notes")
        server.tool(name="put")(self.put_of(scenario, world))
        outer = MCPServer("outer")

        @outer.tool()
        async def relay(key: str, text: str) -> str:
            """Pass it on, as a client of another server."""
            async with Client(server) as inner:
                return " ".join(await _turn(inner, [Call("put", {"key": key, "text": text})]))

        told: list[str] = []
        async with Client(outer if scenario.nested else server) as client:
            for turn in scenario.turns * (2 if scenario.flaky else 1):
                told += await _turn(client, turn)
        return told


async def _turn(client: Client, calls: list[Call]) -> list[str]:
    results = await asyncio.gather(*(client.call_tool(call.tool, dict(call.args)) for call in calls))
    return [_text(result) for result in results]


def _text(result: Any) -> str:
    return " ".join(part.text for part in result.content)


DRIVER = McpDriver()
