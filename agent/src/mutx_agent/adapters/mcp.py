"""MCP client sessions of the official SDK, without a change to the program.

    mutx_agent.hooks.install("mcp")

The client side has no hook before a call, so `install` stands in `ClientSession.send_request`, which every
`tools/call` goes through, whoever makes it: `ClientSession.call_tool`, `Client`, session groups, fastmcp's client and
the MCP support of agent frameworks. The server's name is the action's `service`, so that policies can tell servers
apart. A denied call is answered with an error result (`is_error`) that says why and never leaves the process. Changed
arguments are validated by the server, like any. A call that an agent framework's own hook has decided under the same
name with the same arguments is not decided again. Programs that speak to MCP servers without this SDK, and everything
that a server does besides answering calls, are for the MCP proxy.
"""

from collections.abc import Callable
from typing import Any

from mutx_agent.adapters._common import Gate, ToolUse
from mutx_agent.adapters._patch import Uninstall, installed, patch, run_aside
from mutx_agent.adapters._probes import probed_by
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "mcp"


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool call of MCP client sessions in this process. Raises HookNotFound."""
    return patch("mcp", RUNTIME, governor, {"mcp.client.session:ClientSession.send_request": _send_request})


def _send_request(original: Any, gate: Gate) -> Any:
    async def send_request(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        if getattr(request, "method", None) != "tools/call":
            return await original(self, request, *args, **options)
        return await gate.arun(
            lambda: _described(self, request.params),
            lambda changed: original(self, _with(request, changed), *args, **options),
            _refusal,
            _note,
        )

    return send_request


def _described(session: Any, params: Any) -> ToolUse:
    server = getattr(session, "server_info", None)
    return ToolUse(params.name, params.arguments or {}, {"service": getattr(server, "name", None)})


def _with(request: Any, changed: Json | None) -> Any:
    if changed is None:
        return request
    return request.model_copy(update={"params": request.params.model_copy(update={"arguments": changed})})


def _refusal(denial: ActionDenied) -> Any:
    from mcp.types import CallToolResult, TextContent

    return CallToolResult(content=[TextContent(type="text", text=str(denial))], is_error=True)


def _note(action: Any, answer: Any) -> None:
    dumped = answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    texts = [part["text"] for part in dumped.get("content") or [] if isinstance(part.get("text"), str)]
    if dumped.get("isError"):
        action.error = " ".join(texts) or "the tool failed"
    else:
        action.result = dumped.get("structuredContent") or dumped.get("content", dumped)


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a client session call a tool, that calls `spy`, of a server in memory."""
    from mcp import Client
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("proof")

    server.tool()(probed_by(spy))

    async def call() -> None:
        async with Client(server) as client:
            await client.call_tool("probed", {})

    with installed(install, governor):
        run_aside(call)
