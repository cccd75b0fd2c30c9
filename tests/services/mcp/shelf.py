"""An MCP server for tests, run as a program: `python shelf.py`; `--http PORT` serves streamable HTTP."""

import asyncio
import os
import sys

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

server = MCPServer("shelf")


@server.tool()
def read_book(title: str) -> str:
    """Read a book from the shelf."""
    return f"{title}: once upon a time"


@server.tool()
def write_note(text: str) -> str:
    """Write a note."""
    return f"noted: {text}"


@server.tool()
def drop(title: str) -> str:
    """Throw a book away."""
    return f"{title} is gone"


@server.tool()
def write_crash() -> str:
    """End the whole server."""
    os._exit(1)


@server.tool()
async def read_slowly(steps: int, context: Context) -> str:
    """Read with progress."""
    for step in range(steps):
        await context.report_progress(step + 1, steps, f"page {step + 1}")
        await asyncio.sleep(0.01)
    return "read"


@server.resource("shelf://index")
def index() -> str:
    """What is on the shelf."""
    return "two books"


if __name__ == "__main__":
    if "--http" in sys.argv:
        server.run("streamable-http", port=int(sys.argv[sys.argv.index("--http") + 1]))
    else:
        server.run()
