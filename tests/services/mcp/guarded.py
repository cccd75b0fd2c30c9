"""An MCP server that wants an OAuth sign-in, with its own authorization server: `python guarded.py PORT`."""

import sys

from fastmcp import FastMCP
from fastmcp.server.auth.auth import ClientRegistrationOptions
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider

port = int(sys.argv[1])
auth = InMemoryOAuthProvider(
    base_url=f"http://127.0.0.1:{port}", client_registration_options=ClientRegistrationOptions(enabled=True)
)
server = FastMCP("guarded", auth=auth)


@server.tool
def read_safe() -> str:
    """Read what is in the safe."""
    return "gold"


server.run(transport="http", host="127.0.0.1", port=port, show_banner=False)
