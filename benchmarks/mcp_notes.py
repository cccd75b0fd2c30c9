"""The MCP server of the proxy's benchmark, at standard input and output: `python -m benchmarks.mcp_notes`."""

from mcp.server import MCPServer

server = MCPServer("notes")


@server.tool()
def read_note(number: int) -> str:
    """Read a note."""
    return f"note {number}: buy milk"


if __name__ == "__main__":
    server.run()
