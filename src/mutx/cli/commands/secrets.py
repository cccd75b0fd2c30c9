"""`mutx secrets`: the keys that stored secrets are sealed under. Works on the installation that the environment names."""

from importlib.metadata import entry_points
from typing import Any

import click

from mutx.cli.state import CliState, pass_state, shared_options


@click.group()
def secrets() -> None:
    """Make, change and check the keys that seal stored secrets."""


def _run(command: str) -> dict[str, Any]:
    # By name and at call time: nothing of the command line imports the server.
    (run,) = entry_points(group="mutx.embedded", name="secrets")
    told: dict[str, Any] = run.load()(command)
    return told


@secrets.command("new-key")
def new_key() -> None:
    """Print a fresh key for SECRET_ENCRYPTION_KEY."""
    from mutx.services.identity.sealing import new_sealing_key

    click.echo(new_sealing_key())


@secrets.command()
@shared_options
@pass_state
def status(state: CliState) -> None:
    """Show which keys seal how many stored secrets. The control plane must not run where it keeps an SQLite file."""
    _show(state, _run("status"))


@secrets.command()
@shared_options
@pass_state
def reseal(state: CliState) -> None:
    """Put every stored secret under the newest key. Afterwards the older keys may go."""
    _show(state, _run("reseal"))


@secrets.command()
@shared_options
@pass_state
def rotate(state: CliState) -> None:
    """Make a new key in the home's key file, put every stored secret under it and forget the older ones."""
    _show(state, _run("rotate"))


@secrets.command("rotate-tokens")
@shared_options
@pass_state
def rotate_tokens(state: CliState) -> None:
    """Sign logins with a new key from the next start on. Stop every replica first; logins go on."""
    told = _run("rotate-tokens")
    state.say(f"{told['key_id']} signs tokens from the next start on; those of the older keys go on until they expire")
    if state.as_json:
        state.emit_json(told)


def _show(state: CliState, told: dict[str, Any]) -> None:
    if state.as_json:
        state.emit_json(told)
        return
    state.say(f"{told['resealed']} secrets were put under the newest key, {told['key_id']}")
    for key_id, count in sorted(told["used"].items()):
        state.say(f"{key_id} seals {count}")
