"""How a server of the configuration is reached: a command's standard input and output, or streamable HTTP."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from mutx.services.mcp.config import ServerSpec
from mutx.services.mcp.upstream import Transport


def transport_to(spec: ServerSpec, auth: httpx2.Auth | None = None) -> Callable[[], Transport]:
    """A new connection for each call. A credential of the proxy's own client never goes along."""
    if spec.command is not None:
        parameters = StdioServerParameters(command=spec.command, args=spec.args, env=spec.env, cwd=spec.cwd)
        return lambda: stdio_client(parameters, errlog=sys.stderr)
    return lambda: _http(spec, auth)


@asynccontextmanager
async def _http(spec: ServerSpec, auth: httpx2.Auth | None) -> AsyncIterator[tuple[Any, Any]]:
    async with (
        create_mcp_http_client(headers=spec.headers, auth=auth) as http,
        streamable_http_client(spec.url or "", http_client=http) as streams,
    ):
        yield streams
