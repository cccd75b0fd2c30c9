"""Put the proxy and the control plane's own MCP server together from what was chosen and what this machine knows."""

import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from mcp.server import Server
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.mcpserver import Context
from msgspec import Struct

from mutx.kit.errors import SetupError, Unauthenticated
from mutx.kit.ids import new_id
from mutx.sdk.client import MutxAsyncClient
from mutx.server.doors.mcp.control import ControlTools
from mutx.server.doors.mcp.credentials import ControlPlaneVerifier
from mutx.server.doors.mcp.http_door import HttpPlace, http_app
from mutx.server.doors.mcp.http_sessions import HttpSessions
from mutx.server.doors.mcp.stdio import Servers, serve_stdio
from mutx.services.mcp.config import ProxyConfig, ServerSpec, make_config, read_config
from mutx.services.mcp.governed import Line
from mutx.services.mcp.oauth import client_auth, open_store
from mutx.services.mcp.proxy import McpProxy
from mutx.services.mcp.results import OnSuspicion
from mutx.services.mcp.scanning import PatternScanner
from mutx.services.mcp.session import ProxyRules
from mutx.services.mcp.transports import transport_to
from mutx_agent.settings import AgentSettings, NotConfigured, load, mutx_home
from mutx_agent.transport.connect import connect

DEFAULT_AGENT = "mcp-proxy"

Say = Callable[[str], None]
"""Tells whoever started it."""


class Chosen(Struct, frozen=True, kw_only=True):
    """The options of `mutx mcp proxy`."""

    command: tuple[str, ...] = ()
    name: str = "server"
    config: Path | None = None
    url: str | None = None
    agent: str | None = None
    session: str | None = None
    user: str | None = None
    wait: float | None = None
    call_timeout: float = 300.0
    on_injection: str = "flag"
    guardrails: str = "permissive"
    approve_in_client: bool = False

    @property
    def rules(self) -> ProxyRules:
        return ProxyRules(
            call_seconds=self.call_timeout,
            on_suspicion=OnSuspicion(self.on_injection),
            profile=self.guardrails,
        )


def quiet() -> None:
    """Standard output belongs to the protocol."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


async def run_proxy(chosen: Chosen) -> None:
    """For one client, at standard input and output. Raises SetupError."""
    quiet()
    servers = reach(configured(chosen))
    settings = _settings(chosen)
    line = Line(
        transport=connect(settings),
        agent_id=settings.agent_id or DEFAULT_AGENT,
        session_id=settings.session_id or f"mcp-{new_id()}",
        user_id=chosen.user,
        deadline=chosen.wait,
    )
    client = MutxAsyncClient.local(url=chosen.url)
    await serve_stdio(servers, line, client, chosen.rules, approves=chosen.approve_in_client)


async def serve_proxy(chosen: Chosen, place: HttpPlace, say: Say) -> None:
    """For many clients, over streamable HTTP, each with a key or token of its own. Raises SetupError."""
    if chosen.approve_in_client or chosen.session or chosen.user:
        raise SetupError("over HTTP each client brings its own session and person; leave those options out")
    url = _address(chosen.url)
    sessions = HttpSessions(
        url,
        reach(configured(chosen)),
        PatternScanner(),
        chosen.rules,
        agent=chosen.agent or DEFAULT_AGENT,
        wait=chosen.wait,
    )
    try:
        await _listen(McpProxy(sessions).server, url, place, say, beside=(sessions.sweep,))
    finally:
        await sessions.close()


async def serve_control(url: str | None, place: HttpPlace | None, say: Say) -> None:
    """The control plane's own server: for whoever is signed in here, or over HTTP for whoever shows a token."""
    if place is None:
        quiet()
        await ControlTools(lambda _: MutxAsyncClient.local(url=url)).server().run_stdio_async()
        return
    address = _address(url)

    @asynccontextmanager
    async def client_of(context: Context) -> AsyncIterator[MutxAsyncClient]:
        async with MutxAsyncClient(address, api_key=_token(context.request_context.request)) as client:
            yield client

    lowlevel: Server[Any] = ControlTools(client_of).server()._lowlevel_server
    await _listen(lowlevel, address, place, say)


async def _listen(server: "Server[Any]", url: str, place: HttpPlace, say: Say, *, beside: tuple[Any, ...] = ()) -> None:
    place.check()
    verifier = ControlPlaneVerifier(lambda token: MutxAsyncClient(url, api_key=token), place.resource)
    app = http_app(server, verifier, place, beside=beside)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, proxy_headers=False)
    with _socket(place) as listener:
        say(f"MUTX MCP listens on {place.resource}")
        await uvicorn.Server(config).serve(sockets=[listener])


def _socket(place: HttpPlace) -> socket.socket:
    """Raises SetupError."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family, backlog=512)
    except OSError as error:
        raise SetupError(f"cannot listen on {place.host}:{place.port}: {error.strerror}; choose another one") from error


def _token(request: Any) -> str:
    """Of the request's own caller. Raises Unauthenticated."""
    user = None if request is None else request.scope.get("user")
    if not isinstance(user, AuthenticatedUser):
        raise Unauthenticated("send a key or a token as `Authorization: Bearer ...`")
    return user.access_token.token


def configured(chosen: Chosen) -> ProxyConfig:
    """Raises SetupError."""
    if chosen.config is not None:
        return read_config(chosen.config)
    command, *args = chosen.command
    return make_config({"mcpServers": {chosen.name: {"command": command, "args": args}}}, source="the command line")


def reach(config: ProxyConfig) -> Servers:
    """Raises KeyUnusable where the tokens of servers cannot be unsealed."""
    return {name: (spec, transport_to(spec, _signed_in(name, spec))) for name, spec in config.servers.items()}


def _signed_in(name: str, spec: ServerSpec) -> Any:
    if not spec.oauth or spec.url is None:
        return None
    return client_auth(name, spec.url, open_store(mutx_home()).of(name, spec.url))


def _address(url: str | None) -> str:
    return MutxAsyncClient.local(url=url).base_url


def _settings(chosen: Chosen) -> AgentSettings:
    try:
        settings = load(url=chosen.url, agent_id=chosen.agent, session_id=chosen.session)
    except NotConfigured as error:
        raise SetupError(str(error)) from error
    if settings.socket is None and settings.api_key is None:
        raise SetupError(
            f"the proxy needs a key to ask {settings.url} for decisions: register its agent with"
            " `mutx agents register --name NAME` and set MUTX_API_KEY to the key"
        )
    return settings
