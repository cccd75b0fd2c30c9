"""Migrations make exactly the tables that the code declares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect

from mutx.server.migrations.run import configuration, upgrade
from mutx.server.tables import METADATA
from mutx.storage.sqlite_database import SqliteDatabase


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{tmp_path / 'mutx.db'}")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_a_fresh_database_gets_every_table(connection: Connection) -> None:
    upgrade(connection)
    assert set(inspect(connection).get_table_names()) == {*METADATA.tables, "alembic_version"}


def test_nothing_differs_between_migrations_and_code(connection: Connection) -> None:
    upgrade(connection)
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    assert compare_metadata(context, METADATA) == []


def test_upgrading_twice_changes_nothing(connection: Connection) -> None:
    upgrade(connection)
    upgrade(connection)
    assert "users" in inspect(connection).get_table_names()


def test_what_goes_up_comes_down(connection: Connection) -> None:
    upgrade(connection)
    command.downgrade(configuration(connection), "base")
    assert inspect(connection).get_table_names() == ["alembic_version"]


def test_every_table_of_a_workspace_says_which() -> None:
    without = {name for name, table in METADATA.tables.items() if "workspace_id" not in table.columns}
    of_people = {"users", "logins", "mailed_tokens", "mail_requests"}
    assert without <= of_people | {"workspaces", "outbox_cursors", "revocation_epoch", "installation_secrets"}


async def test_the_server_upgrades_when_it_starts(tmp_path: Path) -> None:
    for _ in range(2):
        database = SqliteDatabase(tmp_path / "mutx.db")
        await database.start(upgrade)
        await database.stop()
