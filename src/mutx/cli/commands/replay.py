"""`mutx replay`: recorded work of agents, run again under government."""

import time

import click

from mutx.cli.state import CliState, pass_state, shared_options


@click.group()
def replay() -> None:
    """Run recorded agent work again, with every call governed."""


@replay.command()
@click.option(
    "--suite", "suites", multiple=True, required=True, type=click.Choice(["workspace", "banking", "travel", "slack"])
)
@shared_options
@pass_state
@click.pass_context
def agentdojo(context: click.Context, state: CliState, suites: tuple[str, ...]) -> None:
    """Replay the user tasks of AgentDojo suites (v1.1.2): decide every call, run it, conclude it, verify every chain.

    It runs at a control plane of its own on a temporary database, or with --url at one where you are signed in. Exit
    status 0 means that every call ran, left its two receipts, and every session's export verified.
    """
    from mutx.cli.replay.check import check_replay
    from mutx.cli.replay.session import control_plane, governed_agent, in_words, limits, replay_policy
    from mutx.cli.replay.suites import VERSION, load_suite
    from mutx.cli.replay.tasks import run_suite

    started = time.monotonic()
    loaded = [load_suite(name) for name in dict.fromkeys(suites)]
    with control_plane(state) as client, replay_policy(client):
        with governed_agent(client) as governor:
            runs = [run for suite in loaded for run in run_suite(suite, governor)]
        report = check_replay(client, runs)
    facts = {
        "version": VERSION,
        "suites": suites,
        "default": "allow",
        "limits": limits(),
        "seconds": round(time.monotonic() - started, 1),
    }
    if state.as_json:
        state.emit_json(report._asdict() | facts)
    else:
        state.say(f"AgentDojo {VERSION}, {' and '.join(suites)}; default allow, with limits:")
        for limit in limits():
            state.say(f"  {in_words(limit)}")
        counts = f"{report.tasks} tasks, {report.calls} calls, {report.receipts} receipts"
        state.say(f"{counts}, {report.chains_verified} chains verified, {facts['seconds']} s")
        for problem in report.short:
            click.echo(problem, err=True)
    complete = report.receipts == 2 * report.calls and report.chains_verified == report.tasks and not report.short
    context.exit(0 if complete else 1)
