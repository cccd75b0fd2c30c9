"""`mutx policies backtest` and `mutx policies mine`: a policy against what was recorded, and one out of it."""

import json
import re
from pathlib import Path

import click
import yaml

from mutx.cli.exits import Exit
from mutx.cli.files import text_of
from mutx.cli.output import count, print_table, show
from mutx.cli.policy_files import name_of
from mutx.cli.state import CliState, pass_state, shared_options
from mutx.contract.policies import BacktestRequest, BacktestResult, MineRequest
from mutx.kit.errors import InputError
from mutx.sdk.client import MutxClient

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SHOWN = 20
PATIENCE = 600.0
"""Seconds that an answer may take."""


def seconds(text: str) -> float:
    """`30d`, `12h`: how far back. Raises InputError."""
    span = _SPAN.fullmatch(text.strip())
    if span is None or int(span[1]) == 0:
        raise InputError(f"{text!r} is no time span: write for example 12h, 30d or 4w")
    return float(int(span[1]) * _SECONDS[span[2]])


def patient(state: CliState) -> MutxClient:
    """The client, with time for a long history."""
    state.client.http.timeout = PATIENCE
    return state.client


@click.command("backtest")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--since", default="30d", show_default=True, help="How far back: 12h, 30d, 4w.")
@click.option("--agent", help="Only this agent's sessions.")
@click.option(
    "--fail-on",
    type=click.Choice(["any", "stricter", "never"]),
    default="any",
    show_default=True,
    help="Exit status 1 if decisions would be others, only if stricter, or never.",
)
@shared_options
@pass_state
@click.pass_context
def backtest(context: click.Context, state: CliState, file: Path, since: str, agent: str | None, fail_on: str) -> None:
    """Decide what was recorded again under a changed policy: what would be denied, asked about or allowed.

    FILE stands in for the policy of its name; the others in force stay. Nothing is written and nobody is asked.
    """
    body = BacktestRequest(document=text_of(file), name=name_of(file), since_seconds=seconds(since), agent_id=agent)
    result = patient(state).policies.backtest(body)
    if state.as_json:
        show(state, result)
    else:
        _print(result)
    failed = {"any": result.changed, "stricter": result.stricter, "never": 0}[fail_on]
    context.exit(Exit.FAILURE if failed else Exit.OK)


def _print(result: BacktestResult) -> None:
    looked = f"{count(result.decisions, 'decision')} of {count(result.sessions, 'session')}"
    erased = f", {result.erased} erased ones left out" if result.erased else ""
    click.echo(f"{looked}{erased}: {result.changed} would be others, {result.stricter} of them stricter")
    if result.changes:
        rows = ([one.agent_id, one.tool, one.before, one.after, one.rule, one.count] for one in result.changes[:SHOWN])
        print_table(["agent", "tool", "was", "would be", "by", "decisions"], rows)
    if result.examples:
        lines = ([one.session_id, one.action_id, one.change.tool, one.reason] for one in result.examples[:SHOWN])
        print_table(["session", "action", "tool", "why"], lines)


@click.command("mine")
@click.option("--since", default="30d", show_default=True, help="How far back: 12h, 30d, 4w.")
@click.option("--agent", help="Only this agent's sessions.")
@click.option("--name", default="mined", show_default=True, help="Of the proposed policy.")
@shared_options
@pass_state
def mine(state: CliState, since: str, agent: str | None, name: str) -> None:
    """Propose a least-privilege policy from what agents were let do, and measure what it would have stopped.

    A fifth of the sessions is held out: nothing is learned from them, and the false-block rate is theirs.
    """
    from mutx.cli.scoreboard.intervals import share

    result = patient(state).policies.mine(MineRequest(name=name, since_seconds=seconds(since), agent_id=agent))
    of_sessions = share(result.blocked_sessions, result.held_out_sessions)
    of_calls = share(result.blocked_calls, result.held_out_calls)
    if state.as_json:
        intervals = {"sessions": of_sessions._asdict(), "calls": of_calls._asdict()}
        state.emit_json(result.model_dump() | {"false_blocks": intervals})
        return
    document = yaml.safe_dump(json.loads(result.document), sort_keys=False, allow_unicode=True, width=120)
    click.echo(f"# learned from {result.calls} calls of {result.sessions} sessions")
    if result.refused_sessions:
        click.echo(f"# left out: {result.refused_sessions} sessions in which something was denied")
    for what, found in (("sessions", of_sessions), ("calls", of_calls)):
        rate = (
            "none held out" if found.value is None else f"{found.value:.1%} (95 %: {found.low:.1%} to {found.high:.1%})"
        )
        click.echo(f"# false blocks on held-out {what}: {found.hits} of {found.total}, {rate}")
    click.echo(document, nl=False)
