"""`mutx doctor`: is this installation sound, and what to do where it is not."""

import click

from mutx.cli.checks import CheckHealth
from mutx.cli.exits import Exit
from mutx.cli.health_checks import CHECKS
from mutx.cli.output import print_table
from mutx.cli.state import CliState, shared_options


@click.command()
@shared_options
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check this machine, its control plane and every part of it. Exit status 1 if something needs doing."""
    state = ctx.ensure_object(CliState)
    results = [(name, *check(state)) for name, check in CHECKS.items()]
    columns = ["check", "health", "detail", "remedy"]
    if state.as_json:
        state.emit_json([dict(zip(columns, result, strict=True)) for result in results])
    else:
        print_table(columns, results)
    if any(health is CheckHealth.BAD for _, health, *_ in results):
        ctx.exit(Exit.FAILURE)
