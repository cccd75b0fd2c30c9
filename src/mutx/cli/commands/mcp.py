"""`mutx mcp`: the tools of MCP servers, the proxy before them, and the control plane as a server of its own."""

import asyncio
from pathlib import Path
from typing import Any

import click

from mutx.cli.build import FamilyGroup
from mutx.cli.extras import needing
from mutx.cli.output import print_table, show
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.contract.mcp import McpTool, PinState
from mutx.sdk.groups import McpApi

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


@mcp.command("proxy")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with `mcpServers`, as MCP clients have it.",
)
@click.option("--name", default="server", show_default=True, help="The one server's name, where COMMAND gives it.")
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
    "--approve-in-client",
    is_flag=True,
    help="Whoever accepts in the MCP client approves, as the person signed in here. Only for clients that show such"
    " questions to a person.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@shared_options
@pass_state
def proxy(state: CliState, /, command: tuple[str, ...], **given: Any) -> None:
    """Stand before MCP servers: every call is decided, and definitions that change are held back.

    \b
    mutx mcp proxy --config mcp.json
    mutx mcp proxy --name files -- npx -y @modelcontextprotocol/server-filesystem /tmp
    """
    with needing("mcp"):
        from mutx.server.doors.mcp.running import Chosen, run_proxy
    if bool(command) == bool(given["config"]):
        raise click.UsageError("give --config, or one server's command after --")
    asyncio.run(run_proxy(Chosen(command=command, url=state.url, **given)))
