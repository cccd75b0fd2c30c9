"""`mutx mcp proxy` for one client at standard input and output."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from mcp.server.stdio import stdio_server

from mutx.sdk.client import MutxAsyncClient
from mutx.server.doors.mcp.board import SdkApprover, SdkBoard
from mutx.services.mcp.config import ServerSpec
from mutx.services.mcp.governed import Line
from mutx.services.mcp.one import OneSession
from mutx.services.mcp.proxy import McpProxy
from mutx.services.mcp.scanning import PatternScanner
from mutx.services.mcp.session import ProxyRules, ProxySession
from mutx.services.mcp.upstream import Transport

Servers = Mapping[str, tuple[ServerSpec, Callable[[], Transport]]]


async def serve_stdio(
    servers: Servers, line: Line, client: MutxAsyncClient, rules: ProxyRules, *, approves: bool = False
) -> None:
    """Until the client closes its end. `approves`: an accepted elicitation approves, as the person signed in here."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(client)
        approver = SdkApprover(client) if approves else None
        session = ProxySession(line, servers, SdkBoard(client), PatternScanner(), rules, approver)
        stack.push_async_callback(session.close)
        server = McpProxy(OneSession(session)).server
        read, write = await stack.enter_async_context(stdio_server())
        await server.run(read, write, server.create_initialization_options())
