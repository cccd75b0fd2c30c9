"""`mutx db`: the database of this machine's installation, or the one that DATABASE_URL names."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from mutx.cli.exits import Exit
from mutx.cli.state import CliState, pass_state, shared_options

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
@click.option("--ssl-mode", default="", help="TLS to PostgreSQL, before DATABASE_SSL_MODE and the URL's sslmode.")
@click.pass_context
def db(ctx: click.Context, ssl_mode: str) -> None:
    """Upgrade, check, back up and restore the database. Settings are those of `mutx up`."""
    ctx.meta["mutx.ssl_mode"] = ssl_mode


def _admin() -> Any:
    """The server's side, by name and at call time: nothing of the command line imports the server."""
    (opened,) = entry_points(group="mutx.embedded", name="db")
    return opened.load()(click.get_current_context().meta["mutx.ssl_mode"])


@db.command()
@shared_options
@pass_state
def current(state: CliState) -> None:
    """Show the revision, and what differs from what this release declares. Exit status 1 if something needs doing."""
    found = _admin().current()
    if state.as_json:
        state.emit_json(found)
    else:
        _describe(state, found)
    if found["revision"] != found["newest"] or found["differences"]:
        click.get_current_context().exit(Exit.FAILURE)


def _describe(state: CliState, found: dict[str, Any]) -> None:
    if found["revision"] == found["newest"]:
        state.say(f"revision {found['revision']}, the newest")
    else:
        state.say(f"revision {found['revision'] or 'none'}; the newest is {found['newest']}: run `mutx db upgrade`")
    for difference in found["differences"]:
        state.say(difference)
    if found["differences"]:
        state.say("take a backup, then run `mutx db repair`")


@db.command()
@shared_options
@pass_state
def upgrade(state: CliState) -> None:
    """Bring the tables up to date. A server does so when it starts, unless DATABASE_MIGRATE_ON_STARTUP=false."""
    found = _admin().upgrade()
    if state.as_json:
        state.emit_json(found)
    _describe(state, found)


@db.command()
@shared_options
@pass_state
def repair(state: CliState) -> None:
    """Make again what is missing from the tables. Take a backup first; no row is changed."""
    mended = _admin().repair()
    if state.as_json:
        state.emit_json(mended)
    for what in mended:
        state.say(f"mended: {what}")
    if not mended:
        state.say("nothing is missing")


@db.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@shared_options
@pass_state
def backup(state: CliState, file: Path, force: bool) -> None:
    """Copy the whole database to FILE as of this moment; a server may run meanwhile. Back up the keys beside it."""
    revision = _admin().backup(file, force=force)
    if state.as_json:
        state.emit_json({"file": str(file), "revision": revision})
    state.say(f"{file}: revision {revision}, {file.stat().st_size // 1024} KiB; the signing keys are not in it")


@db.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace what is there.")
@shared_options
@pass_state
def restore(state: CliState, file: Path, force: bool) -> None:
    """Put a backup in the place of the database. Stop every server first."""
    revision = _admin().restore(file, force=force)
    if state.as_json:
        state.emit_json({"file": str(file), "revision": revision})
    state.say(f"restored: revision {revision}; `mutx up` brings it up to date")
