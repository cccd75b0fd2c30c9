"""`mutx mcp`: the tools of MCP servers, the proxy before them, and the control plane as a server of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mutx.cli.build import FamilyGroup
from mutx.cli.extras import needing
from mutx.cli.output import print_table, show
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.contract.mcp import McpTool, PinState
from mutx.kit.errors import NotFound
from mutx.sdk.groups import McpApi
from mutx_agent.settings import mutx_home

if TYPE_CHECKING:
    from mutx.server.doors.mcp.http_door import HttpPlace

F = TypeVar("F", bound=Callable[..., Any])

mcp = FamilyGroup("mcp", McpApi, "Govern MCP servers: the proxy, and the tools it has seen.")


@mcp.command("tools")
@click.option("--state", type=click.Choice([state.value for state in PinState]), help="Only definitions in this state.")
@click.option("--server", help="Only of this server.")
@click.option("--limit", type=click.IntRange(1, 200), default=200, show_default=True)
@shared_options
@pass_state
def tools(state: CliState, /, server: str | None, limit: int, **given: Any) -> None:
    """List the definitions of tools that were seen, what is quarantined first."""
    wanted = given["state"]
    found = state.client.mcp.tools(PinState(wanted) if wanted else None, server, limit=limit)
    if state.as_json:
        show(state, found)
        return
    print_table(["id", "server", "tool", "state", "why"], [_row(one) for one in found.items])
    if any(one.state is PinState.QUARANTINED for one in found.items):
        click.echo("look at one with `mutx mcp show ID`, take it into use with `mutx mcp approve ID`")


def _row(one: McpTool) -> list[Any]:
    return [one.id, one.server, one.tool, one.state, "; ".join(one.reasons)]


@mcp.command("policy")
@click.option("--server", help="Only of this server.")
@shared_options
@pass_state
def policy(state: CliState, server: str | None) -> None:
    """Write the tools in use as a policy document: their parameters, for you to label and to add rules to."""
    click.echo(state.client.mcp.schemas(server).document, nl=False)


CONFIG = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with `mcpServers`, as MCP clients have it.",
)


def http_options(function: F) -> F:
    """Where a door over streamable HTTP is."""
    for option in (
        click.option(
            "--authorization-server",
            "issuers",
            multiple=True,
            help="An issuer whose tokens the control plane takes; clients are sent there to sign in. May be repeated.",
        ),
        click.option("--public-url", default="", help="How clients reach it, where that is not http://HOST:PORT."),
        click.option("--http", metavar="HOST:PORT", help="Serve streamable HTTP there, at /mcp."),
    ):
        function = option(function)
    return function


def _place(http: str, public_url: str, issuers: tuple[str, ...]) -> "HttpPlace":
    from mutx.server.doors.mcp.http_door import HttpPlace

    host, colon, port = http.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise click.BadParameter(f"{http!r}: write HOST:PORT, as in 127.0.0.1:8808", param_hint="--http")
    return HttpPlace(host=host.strip("[]"), port=int(port), public_url=public_url, authorization_servers=issuers)


@mcp.command("proxy")
@CONFIG
@click.option("--name", default="server", show_default=True, help="The one server's name, where COMMAND gives it.")
@http_options
@click.option("--agent", help="The agent whose calls these are; MUTX_AGENT_ID, or mcp-proxy unless set.")
@click.option("--session", help="The session they belong to; a new one unless set.")
@click.option("--user", help="The person on whose behalf the agent acts.")
@click.option(
    "--wait", type=click.FloatRange(0, 86_400), help="Seconds to wait for a person; as long as the request is open."
)
@click.option("--call-timeout", type=click.FloatRange(1, 86_400), default=300.0, show_default=True)
@click.option(
    "--on-injection",
    type=click.Choice(["flag", "withhold"]),
    default="flag",
    show_default=True,
    help="What to do with results that hold orders.",
)
@click.option(
    "--guardrails",
    type=click.Choice(["permissive", "standard", "strict"]),
    default="permissive",
    show_default=True,
    help="The profile by which results are checked: what it redacts is taken out, what it blocks is withheld.",
)
@click.option(
    "--approve-in-client",
    is_flag=True,
    help="Whoever accepts in the MCP client approves, as the person signed in here. Only for clients that show such"
    " questions to a person.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@shared_options
@pass_state
def proxy(
    state: CliState,
    /,
    command: tuple[str, ...],
    http: str | None,
    public_url: str,
    issuers: tuple[str, ...],
    **given: Any,
) -> None:
    """Stand before MCP servers: every call is decided, and definitions that change are held back.

    \b
    mutx mcp proxy --config mcp.json
    mutx mcp proxy --config mcp.json --http 127.0.0.1:8808
    mutx mcp proxy --name files -- npx -y @modelcontextprotocol/server-filesystem /tmp
    """
    with needing("mcp"):
        from mutx.server.doors.mcp.running import Chosen, run_proxy, serve_proxy
    if bool(command) == bool(given["config"]):
        raise click.UsageError("give --config, or one server's command after --")
    chosen = Chosen(command=command, url=state.url, **given)
    asyncio.run(serve_proxy(chosen, _place(http, public_url, issuers), click.echo) if http else run_proxy(chosen))


@mcp.command("serve")
@http_options
@shared_options
@pass_state
def serve(state: CliState, /, http: str | None, public_url: str, issuers: tuple[str, ...]) -> None:
    """Offer the control plane to an assistant: what waits, why something was decided, whether a policy is sound.

    At standard input and output it speaks for whoever is signed in here; over HTTP for whoever shows a key or token.
    It approves nothing.
    """
    with needing("mcp"):
        from mutx.server.doors.mcp.running import serve_control
    asyncio.run(serve_control(state.url, _place(http, public_url, issuers) if http else None, click.echo))


@mcp.command("login")
@CONFIG
@click.argument("server")
@shared_options
@pass_state
def login(state: CliState, /, server: str, config: Path | None) -> None:
    """Sign in to a server behind the proxy with OAuth; its tokens are kept sealed in $MUTX_HOME/mcp."""
    with needing("mcp"):
        from mutx.server.doors.mcp.signing_in import sign_in
        from mutx.services.mcp.config import read_config
        from mutx.services.mcp.oauth import open_store
    if config is None:
        raise click.UsageError("give --config, the file that has the server")
    spec = read_config(config).servers.get(server)
    if spec is None:
        raise NotFound(f"{config} has no server {server!r}")

    async def show_address(address: str) -> None:
        click.echo(f"open this address and sign in:\n{address}")
        click.launch(address)

    storage = open_store(mutx_home()).of(server, spec.url or "")
    count = asyncio.run(sign_in(server, spec, storage, show_address))
    state.say(f"signed in to {server}: {count} tools")
