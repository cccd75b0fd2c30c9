"""`mutx mcp`: the tools of MCP servers, the proxy before them, and the control plane as a server of its own."""

from mutx.cli.build import FamilyGroup
from mutx.sdk.groups import McpApi

mcp = FamilyGroup("mcp", McpApi, "Govern MCP servers: the proxy, and the tools it has seen.")
