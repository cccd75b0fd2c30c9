"""`mutx doctor`: is this installation sound, and what to do where it is not."""

import click

from mutx.cli.checks import CHECKS, CheckHealth
from mutx.cli.exits import Exit
from mutx.cli.output import print_table
from mutx.cli.state import CliState, shared_options


@click.command()
@shared_options
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check home, keys, database, server, clock, policies and socket. Exit status 1 if something needs doing."""
    state = ctx.ensure_object(CliState)
    results = [(check.__name__.replace("_", " "), *check(state)) for check in CHECKS]
    if state.as_json:
        state.emit_json([{"check": name, "health": health.value, "detail": detail} for name, health, detail in results])
    else:
        print_table(["check", "health", "detail"], results)
    if any(health is CheckHealth.BAD for _, health, _ in results):
        ctx.exit(Exit.FAILURE)
