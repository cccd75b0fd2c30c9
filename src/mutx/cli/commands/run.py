"""`mutx run -- COMMAND`: a program under government, without a change to it."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from mutx.cli.run.options import RunOptions
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.kit.errors import MutxError, SetupError
from mutx_agent.errors import ActionDenied
from mutx_agent.launch.order import REFUSED

NOT_EXECUTABLE, NOT_FOUND = 126, 127
PATH = click.Path(path_type=Path)


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--agent", help="Who acts; the program's name unless set.")
@click.option("--session", help="The session to act in; a new one unless set.")
@click.option("--request", help="What that person asked for; kept as the session's original request.")
@click.option("--embedded", is_flag=True, help="Decide in this launcher, also where a control plane is configured.")
@click.option("--home", type=PATH, help="Folder of the embedded control plane; $MUTX_HOME or ~/.mutx unless set.")
@click.option("--env", "passed", multiple=True, metavar="NAME", help="Pass this variable to the program.")
@click.option("--read", multiple=True, type=PATH, help="A folder the program may read.")
@click.option("--write", multiple=True, type=PATH, help="A folder the program may write, beside the present one.")
@click.option(
    "--allow-net", "networks", multiple=True, metavar="CIDR", help="A network that is not public and may be asked for."
)
@click.option(
    "--local-port",
    "local_ports",
    multiple=True,
    type=click.IntRange(1, 65_535),
    help="A TCP port for servers of its own.",
)
@click.option(
    "--no-sandbox",
    "sandbox",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Leave files, network and system calls open.",
)
@click.option(
    "--no-egress", "egress", is_flag=True, flag_value=False, default=True, help="Leave outbound requests undecided."
)
@click.option(
    "--egress-inspect",
    "inspect",
    is_flag=True,
    help="Decide https requests by method and path as well: the gateway ends their TLS with an authority of this run.",
)
@click.option("--require", multiple=True, help="Do not start unless this layer holds; see the report for their names.")
@click.option(
    "--allow-unproved", is_flag=True, help="Let frameworks run whose hooks are not proved. Loud, and in the receipts."
)
@click.option("--report", type=PATH, help="Write the enforcement report there, as JSON.")
@click.option("--quiet", is_flag=True, help="Print only the layers that do not hold.")
@shared_options
@pass_state
@click.pass_context
def run(context: click.Context, state: CliState, /, **given: Any) -> None:
    """Run COMMAND with every tool call and outbound request decided, in a sandbox.

    Exit status: the command's own; 128 + n if signal n ended it; 125 if it was not allowed to run or could not be governed;
    126 if it cannot be executed; 127 if there is no such command.
    """
    try:
        context.exit(_run(RunOptions(**given), state.url))
    except ActionDenied as denial:
        _say(_advice(denial))
    except MutxError as error:
        _say(str(error))
    context.exit(REFUSED)


def _run(options: RunOptions, url: str | None) -> int:
    from mutx.cli.run.environment import child_environment
    from mutx.cli.run.governed import GovernedRun
    from mutx.cli.run.layers import find_program
    from mutx.cli.run.report import LAYERS
    from mutx.cli.run.spawn import Interrupted
    from mutx.cli.run.upstream import find_upstream
    from mutx_agent.launch.interpreters import blind_option

    if sys.platform != "linux":
        raise SetupError("`mutx run` needs Linux; elsewhere use the adapters of mutx_agent in the program itself")
    if options.inspect and not options.egress:
        raise SetupError("--egress-inspect looks into what goes through the gateway, and --no-egress does without it")
    unknown = [name for name in options.require if name not in LAYERS]
    if unknown:
        raise SetupError(f"there is no layer `{unknown[0]}`; there are {', '.join(LAYERS)}")
    if find_program(options.command[0], child_environment(os.environ, ()).variables.get("PATH")) is None:
        _say(f"{options.command[0]}: there is no such command")
        return NOT_FOUND
    blind = blind_option(options.command)
    if blind is not None and not options.allow_unproved:
        raise SetupError(
            f"`{blind}` does not load the hooks, so it would run ungoverned: leave the option out, or accept it with --allow-unproved"
        )
    try:
        return GovernedRun(options, find_upstream(options, url)).run()
    except Interrupted as news:
        return news.status


def _advice(denial: ActionDenied) -> str:
    from mutx.cli.run.governed import RUN_TOOL

    if denial.reason_code == "default" or "no policy is in force" in denial.reason:
        return f"{denial}\nNo rule of the policy is about starting programs; add one: {{id: run, match: {{tool: {RUN_TOOL}}}, effect: allow}}"
    return str(denial)


def _say(text: str) -> None:
    click.echo(f"mutx run: {text}", err=True)
