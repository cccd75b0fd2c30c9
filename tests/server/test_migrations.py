"""Migrations make exactly the tables that the code declares, on both databases, and keep what is in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Connection, Enum, create_engine, inspect, text

from mutx.kit.clock import ManualClock
from mutx.kit.errors import Conflict, SetupError
from mutx.server.migrations.drift import differences, mend, repaired
from mutx.server.migrations.run import configuration, expect_newest, newest, revision, upgrade
from mutx.server.tables import METADATA
from mutx.storage.sqlite_database import SqliteDatabase

AT = "2026-11-22 09:00:00+00:00"
USER = f"""INSERT INTO users (id, email, name, plan, is_active, is_email_verified, created_at)
    VALUES ('u-1', 'ana@example.org', 'Ana', 'free', true, false, '{AT}')"""


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A database without a table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'mutx.db'}"
    else:
        url = request.getfixturevalue("empty_postgres").replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def migrated(connection: Connection) -> Connection:
    upgrade(connection)
    return connection


def test_a_fresh_database_gets_every_table(migrated: Connection) -> None:
    assert set(inspect(migrated).get_table_names()) == {*METADATA.tables, "alembic_version"}
    assert revision(migrated) == newest()


def test_nothing_differs_between_migrations_and_code(migrated: Connection) -> None:
    assert differences(migrated) == []
    command.check(configuration(migrated))


def test_upgrading_twice_changes_nothing(migrated: Connection) -> None:
    migrated.execute(text(USER))
    upgrade(migrated)
    assert migrated.scalar(text("SELECT email FROM users")) == "ana@example.org"


def test_what_goes_up_comes_down(migrated: Connection) -> None:
    command.downgrade(configuration(migrated), "base")
    assert inspect(migrated).get_table_names() == ["alembic_version"]
    assert revision(migrated) is None


def test_each_step_keeps_what_the_tables_hold(connection: Connection) -> None:
    """Down as far as the accounts and up again, with somebody in them."""
    upgrade(connection)
    connection.execute(text(USER))
    command.downgrade(configuration(connection), "0001")
    assert "ledger_turns" not in inspect(connection).get_table_names()
    with pytest.raises(SetupError, match="mutx db upgrade"):
        expect_newest(connection)
    upgrade(connection)
    expect_newest(connection)
    assert connection.scalar(text("SELECT name FROM users WHERE is_active")) == "Ana"
    assert differences(connection) == []


def test_tables_of_a_newer_release_are_left_alone(migrated: Connection) -> None:
    migrated.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match="newer MUTX"):
        upgrade(migrated)


DAMAGE = {
    "a table": ("DROP TABLE schema_repairs", "table schema_repairs is missing"),
    "a column": ("ALTER TABLE users DROP COLUMN password_hash", "column users.password_hash is missing"),
    "a required column": ("ALTER TABLE policies DROP COLUMN digest", "column policies.digest is missing"),
    "an index": ("DROP INDEX ix_policies_workspace_id", "index ix_policies_workspace_id is missing"),
}


@pytest.mark.parametrize(("damage", "says"), DAMAGE.values(), ids=DAMAGE)
def test_what_is_missing_is_found_and_made_again(migrated: Connection, damage: str, says: str) -> None:
    migrated.execute(text(USER))
    migrated.execute(text("CREATE TABLE somebody_elses (id int)"))
    migrated.execute(text(damage))
    assert says in [each.what for each in differences(migrated)]
    mended = mend(migrated, ManualClock())
    assert says in mended
    assert differences(migrated) == []
    assert repaired(migrated) == len(mended)
    assert migrated.scalar(text("SELECT email FROM users")) == "ana@example.org"
    assert mend(migrated, ManualClock()) == []


def test_a_lost_uniqueness_comes_back(migrated: Connection) -> None:
    if migrated.dialect.name == "sqlite":
        pytest.skip("SQLite cannot lose one without losing its table")
    migrated.execute(text("ALTER TABLE users DROP CONSTRAINT uq_users_email"))
    assert mend(migrated, ManualClock()) == ["constraint uq_users_email is missing"]
    assert differences(migrated) == []


def test_an_index_over_other_columns_is_replaced(migrated: Connection) -> None:
    migrated.execute(text("DROP INDEX ix_policies_workspace_id"))
    migrated.execute(text("CREATE INDEX ix_policies_workspace_id ON policies (name)"))
    assert mend(migrated, ManualClock()) == ["index ix_policies_workspace_id is missing"]
    assert differences(migrated) == []


SERVER_SIDE = {
    "the ledger's function": ("DROP FUNCTION ledger_append", ["function ledger_append is missing"]),
    "a type, and what takes it": (
        "DROP TYPE ledger_append_turn CASCADE",
        ["type ledger_append_turn is missing", "function ledger_append is missing"],
    ),
    "the outbox's function": (
        "DROP FUNCTION outbox_numbered CASCADE",
        ["function outbox_numbered is missing", "trigger outbox_numbered is missing"],
    ),
    "the trigger": ("DROP TRIGGER outbox_numbered ON outbox", ["trigger outbox_numbered is missing"]),
    "the trigger, with its table": (
        "DROP TABLE outbox",
        ["table outbox is missing", "trigger outbox_numbered is missing"],
    ),
    "a trigger that does nothing": (
        "ALTER TABLE outbox DISABLE TRIGGER outbox_numbered",
        ["trigger outbox_numbered is not as declared"],
    ),
    "a function of another body": (
        """CREATE OR REPLACE FUNCTION outbox_numbered() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN RETURN NULL; END'""",
        ["function outbox_numbered is not as declared"],
    ),
    "a function under other settings": (
        "ALTER FUNCTION ledger_append RESET enable_seqscan",
        ["function ledger_append is not as declared"],
    ),
}


@pytest.mark.parametrize(("damage", "says"), SERVER_SIDE.values(), ids=SERVER_SIDE)
def test_what_lies_on_the_server_is_found_and_made_again(empty_postgres: str, damage: str, says: list[str]) -> None:
    with _on_postgres(empty_postgres) as migrated:
        migrated.execute(text(damage))
        found = [each.what for each in differences(migrated)]
        assert [each for each in found if each in says] == says
        assert set(says) <= set(mend(migrated, ManualClock()))
        assert differences(migrated) == []
        migrated.execute(text("INSERT INTO outbox (topic, workspace_id, at, payload) VALUES ('t', 'w', 1, '{}')"))


OTHER_SHAPE = {
    "a type": ("ALTER TYPE ledger_append_content ADD ATTRIBUTE shoe_size int", "type ledger_append_content"),
    "a second function": (
        "CREATE FUNCTION ledger_append(again boolean) RETURNS boolean LANGUAGE sql RETURN again",
        "function ledger_append",
    ),
}


@pytest.mark.parametrize(("damage", "says"), OTHER_SHAPE.values(), ids=OTHER_SHAPE)
def test_another_shape_on_the_server_is_left_to_a_person(empty_postgres: str, damage: str, says: str) -> None:
    with _on_postgres(empty_postgres) as migrated:
        migrated.execute(text(damage))
        assert [each.what for each in differences(migrated)] == [f"{says} is not as declared"]
        with pytest.raises(Conflict, match=f"{says} is not as declared"):
            mend(migrated, ManualClock())


@contextmanager
def _on_postgres(url: str) -> Iterator[Connection]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        upgrade(connection)
        yield connection
    engine.dispose()


BEYOND_US = {
    "a required column of filled rows": "ALTER TABLE users DROP COLUMN plan",
    "a column that nobody knows": "ALTER TABLE users ADD COLUMN shoe_size int",
}


@pytest.mark.parametrize("damage", BEYOND_US.values(), ids=BEYOND_US)
def test_what_only_a_person_can_mend_is_said(migrated: Connection, damage: str) -> None:
    migrated.execute(text(USER))
    migrated.execute(text(damage))
    with pytest.raises(Conflict, match=r"column users\.(plan is missing|shoe_size is unknown)"):
        mend(migrated, ManualClock())


def test_a_column_of_another_type_is_said(migrated: Connection) -> None:
    if migrated.dialect.name == "sqlite":
        pytest.skip("SQLite cannot change a column's type")
    migrated.execute(text("ALTER TABLE users ALTER COLUMN name TYPE text, ALTER COLUMN plan DROP NOT NULL"))
    said = [each.what for each in differences(migrated)]
    assert sorted(said) == [
        "column users.name: type is not as declared",
        "column users.plan: nullable is not as declared",
    ]


def test_every_table_of_a_workspace_says_which() -> None:
    without = {name for name, table in METADATA.tables.items() if "workspace_id" not in table.columns}
    of_people = {"users", "logins", "mailed_tokens", "mail_requests", "sso_identities", "sso_attempts"}
    of_all = {
        "workspaces",
        "outbox_cursors",
        "revocation_epoch",
        "installation_secrets",
        "receipts_key",
        "schema_repairs",
    }
    assert without <= of_people | of_all


def test_types_are_the_same_everywhere() -> None:
    """No enum of the database's own, whose values could go missing; no JSON that comes back otherwise than it went."""
    for table in METADATA.tables.values():
        for column in table.columns:
            assert not isinstance(column.type, Enum), column
            if isinstance(column.type, JSON):
                assert column.type.__class__ is JSON, column


async def test_the_server_upgrades_when_it_starts(tmp_path: Path) -> None:
    for _ in range(2):
        database = SqliteDatabase(tmp_path / "mutx.db")
        await database.start(upgrade)
        await database.stop()


def test_the_history_is_one_line() -> None:
    assert [script.revision for script in ScriptDirectory.from_config(configuration()).get_revisions("heads")] == [
        newest()
    ]
