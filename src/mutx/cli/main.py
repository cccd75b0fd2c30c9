"""`mutx`: the command line. Every group that mirrors a resource family is built from the contract."""

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import click

from mutx.cli.exits import Exit, exit_of, exit_table
from mutx.cli.lazy import LazyGroup
from mutx.cli.state import CliState, shared_parameters
from mutx.kit.errors import MutxError

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "up": ("mutx.cli.commands.up:up", "Start MUTX on this machine."),
        "run": ("mutx.cli.commands.run:run", "Run a program with every tool call decided."),
        "demo": ("mutx.cli.commands.demo:demo", "Watch a governed agent, start to finish."),
        "login": ("mutx.cli.commands.login:login", "Sign in to a control plane."),
        "logout": ("mutx.cli.commands.login:logout", "Sign out."),
        "status": ("mutx.cli.commands.status:status", "Show where you are and how it is."),
        "doctor": ("mutx.cli.commands.doctor:doctor", "Check this installation and say what to do."),
        "tail": ("mutx.cli.commands.tail:tail", "Follow decisions as they are made."),
        "approvals": ("mutx.cli.commands.approvals:approvals", "List and follow what waits for a person."),
        "approve": ("mutx.cli.commands.approvals:approve", "Say yes to a request."),
        "deny": ("mutx.cli.commands.approvals:deny", "Say no to a request."),
        "receipts": ("mutx.cli.commands.receipts:receipts", "Show, export and verify receipts."),
        "keys": ("mutx.cli.commands.keys:keys", "List, rotate and revoke signing keys."),
        "db": ("mutx.cli.commands.db:db", "Upgrade, check, back up and restore the database."),
        "secrets": ("mutx.cli.commands.secrets:secrets", "Make and change the keys that seal secrets."),
        "policies": ("mutx.cli.commands.policies:policies", "Check, try and apply policies."),
        "mcp": ("mutx.cli.commands.mcp:mcp", "Govern MCP servers: the proxy, and the tools it has seen."),
        "agents": ("mutx.cli.families:agents", "Manage agents."),
        "auth": ("mutx.cli.families:auth", "Accounts and tokens."),
        "sso": ("mutx.cli.families:sso", "Single sign-on."),
        "workspaces": ("mutx.cli.families:workspaces", "Workspaces and their members."),
        "api-keys": ("mutx.cli.families:api_keys", "Create, rotate and revoke keys."),
        "delegations": ("mutx.cli.families:delegations", "What agents hand one another, and its end."),
        "permissions": ("mutx.cli.families:permissions", "Narrow what members, keys and roles may do."),
        "governance": ("mutx.cli.families:governance", "The governed verbs themselves."),
        "security": ("mutx.cli.families:security", "Sessions, receipts, compliance and metrics."),
        "audit": ("mutx.cli.commands.audit:audit", "Who did what."),
        "jobs": ("mutx.cli.families:jobs", "Deliveries and other work done later; retry what was given up."),
        "health": ("mutx.cli.families:health", "How the server is."),
        "replay": ("mutx.cli.commands.replay:replay", "Run a benchmark's tool calls under a policy."),
    }
)


class RootGroup(LazyGroup):
    """Turns errors into messages and exit statuses, in one place."""

    def invoke(self, ctx: click.Context) -> Any:
        state = ctx.ensure_object(CliState)
        try:
            return super().invoke(ctx)
        except MutxError as error:
            report(error, as_json=state.as_json)
            ctx.exit(exit_of(error))
        except BrokenPipeError:
            # Whoever read the output has seen enough; Python must not complain about that at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(Exit.OK)
        finally:
            state.close()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\nExit statuses:\n{exit_table()}\n")


def report(error: MutxError, *, as_json: bool) -> None:
    """To standard error: a line for people, or one JSON object."""
    if as_json:
        import json

        problem = {"code": error.code, "message": str(error), "details": error.details}
        click.echo(json.dumps({"error": problem}, ensure_ascii=False, default=str), err=True)
    else:
        click.echo(f"Error: {error}", err=True)


cli = RootGroup(
    COMMANDS,
    name="mutx",
    about="MUTX decides every tool call of your agents before it runs, and proves afterwards what happened.",
    params=shared_parameters(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
click.version_option(package_name="mutx")(cli)


def main() -> None:
    """The program."""
    cli(prog_name="mutx")
