"""Bring a database to today's schema, or say where it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from mutx.kit.errors import SetupError

HERE = Path(__file__).parent


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration without an `alembic.ini`."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def revision(connection: Connection) -> str | None:
    """What the database is at; None without any table of ours. Raises SetupError if a newer MUTX made it."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None:
        _known(found)
    return found


def newest() -> str:
    """What this release wants it to be at."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    assert head is not None
    return head


def upgrade(connection: Connection) -> None:
    """To the newest revision, in the transaction that `connection` is in. Fit for `Database.start(prepare=upgrade)`.

    Raises SetupError if a newer MUTX made these tables.
    """
    revision(connection)
    command.upgrade(configuration(connection), "head")


def expect_newest(connection: Connection) -> None:
    """For installations that migrate by hand. Raises SetupError where that is due."""
    found = revision(connection)
    if found != newest():
        raise SetupError(f"the database is at revision {found or 'none'}, not {newest()}; run `mutx db upgrade` first")


def _known(found: str) -> None:
    try:
        ScriptDirectory.from_config(configuration()).get_revision(found)
    except CommandError as error:
        raise SetupError(
            f"a newer MUTX made this database (revision {found}); install that version, or restore a backup"
        ) from error
