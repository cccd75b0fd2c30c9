"""Put a proxy together from what was chosen on the command line and what this machine knows."""

import sys
from pathlib import Path

import structlog
from msgspec import Struct

from mutx.kit.errors import SetupError
from mutx.kit.ids import new_id
from mutx.sdk.client import MutxAsyncClient
from mutx.server.doors.mcp.stdio import Servers, serve_stdio
from mutx.services.mcp.config import ProxyConfig, make_config, read_config
from mutx.services.mcp.governed import Line
from mutx.services.mcp.results import OnSuspicion
from mutx.services.mcp.session import ProxyRules
from mutx.services.mcp.transports import transport_to
from mutx_agent.settings import AgentSettings, NotConfigured, load
from mutx_agent.transport.connect import connect

DEFAULT_AGENT = "mcp-proxy"


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
    approve_in_client: bool = False


async def run_proxy(chosen: Chosen) -> None:
    """Raises SetupError."""
    # Standard output belongs to the protocol.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    servers = reach(configured(chosen))
    settings = _settings(chosen)
    line = Line(
        transport=connect(settings),
        agent_id=settings.agent_id or DEFAULT_AGENT,
        session_id=settings.session_id or f"mcp-{new_id()}",
        user_id=chosen.user,
        deadline=chosen.wait,
    )
    rules = ProxyRules(call_seconds=chosen.call_timeout, on_suspicion=OnSuspicion(chosen.on_injection))
    client = MutxAsyncClient.local(url=chosen.url)
    await serve_stdio(servers, line, client, rules, approves=chosen.approve_in_client)


def configured(chosen: Chosen) -> ProxyConfig:
    """Raises SetupError."""
    if chosen.config is not None:
        return read_config(chosen.config)
    command, *args = chosen.command
    one = {"command": command, "args": args}
    return make_config({"mcpServers": {chosen.name: one}}, source="the command line")


def reach(config: ProxyConfig) -> Servers:
    return {name: (spec, transport_to(spec)) for name, spec in config.servers.items()}


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
