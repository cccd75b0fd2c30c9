"""The database from the command line: where it is, upgrades, repairs, copies, on both stores."""

import asyncio
import json
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text

from mutx.cli.exits import Exit
from mutx.cli.main import cli
from mutx.server.migrations.run import configuration
from mutx.services.signing import verify_file
from mutx.storage import pg_backup
from tests.faults import world
from tests.postgres import Postgres
from tests.server.test_migrations import USER


def db(*args: object, exits: int = Exit.OK) -> Result:
    result = CliRunner().invoke(cli, ["db", *map(str, args)], prog_name="mutx")
    assert result.exit_code == exits, f"{args}: {result.exit_code}\n{result.output}\n{result.exception!r}"
    return result


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUTX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a plain driver connects to; the store is empty."""
    if request.param == "sqlite":
        return f"sqlite:///{home / 'mutx.db'}"
    named: str = request.getfixturevalue("empty_postgres")
    monkeypatch.setenv("DATABASE_URL", named)
    monkeypatch.setenv("PATH", str(request.getfixturevalue("postgres").binaries), prepend=":")
    return named.replace("postgresql:", "postgresql+psycopg:")


def sql(url: str, *statements: str) -> list[object]:
    """Run statements; the first column of what they answer."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            return [value for result in results if result.returns_rows for value in result.scalars()]
    finally:
        engine.dispose()


def test_a_database_is_made_looked_at_and_mended(url: str) -> None:
    made = json.loads(db("upgrade", "--json").stdout)
    assert made["revision"] == made["newest"]
    assert "the newest" in db("current").stdout
    assert "nothing is missing" in db("repair").stdout
    sql(url, "DROP INDEX ix_policies_workspace_id")
    shown = db("current", exits=Exit.FAILURE).stdout
    assert "index ix_policies_workspace_id is missing" in shown
    assert "mutx db repair" in shown
    assert "mended: index ix_policies_workspace_id is missing" in db("repair").stdout
    db("current")
    assert sql(url, "SELECT mended FROM schema_repairs") == ["index ix_policies_workspace_id is missing"]
    assert json.loads(db("repair", "--json").stdout) == []


async def test_a_ledger_writes_again_after_a_repair_of_its_server_side(home: Path, empty_postgres: str) -> None:
    async with world.started(home, database_url=empty_postgres) as plane, world.inhabited(plane) as people:
        await people.decide("read")
    await asyncio.to_thread(
        sql,
        empty_postgres.replace("postgresql:", "postgresql+psycopg:"),
        "DROP TYPE ledger_append_turn CASCADE",
        "DROP FUNCTION outbox_numbered CASCADE",
    )
    with pytest.MonkeyPatch.context() as monkey:
        monkey.setenv("DATABASE_URL", empty_postgres)
        shown = (await asyncio.to_thread(db, "current", exits=Exit.FAILURE)).stdout
        for missing in ("type ledger_append_turn", "function ledger_append", "trigger outbox_numbered"):
            assert f"{missing} is missing" in shown
        assert len(json.loads((await asyncio.to_thread(db, "repair", "--json")).stdout)) == 4
        await asyncio.to_thread(db, "current")
    again = world.started(home, database_url=empty_postgres)
    async with again as plane, world.client(plane, await plane.local_token()) as operator:
        assert (await world.post(operator, "/v1/governance/decide", world.call("read")))["seq"] == 2


def test_what_a_repair_cannot_mend_stays_as_it_is(url: str) -> None:
    db("upgrade")
    sql(url, "ALTER TABLE users ADD COLUMN shoe_size int", "DROP INDEX ix_policies_workspace_id")
    assert "shoe_size is unknown" in db("repair", exits=Exit.CONFLICT).stderr
    assert "ix_policies_workspace_id" in db("current", exits=Exit.FAILURE).stdout


def test_a_copy_replaces_what_came_after_it(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    db("upgrade")
    sql(url, USER)
    assert "signing keys are not in it" in db("backup", copy).stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    sql(url, "DELETE FROM users", "DROP TABLE policies")
    assert "--force" in db("restore", copy, exits=Exit.CONFLICT).stderr
    assert sql(url, "SELECT email FROM users") == []
    assert json.loads(db("restore", copy, "--force", "--json").stdout)["revision"]
    assert sql(url, "SELECT email FROM users") == ["ana@example.org"]
    db("current")
    assert "--force" in db("backup", copy, exits=Exit.CONFLICT).stderr
    db("backup", copy, "--force", "--json")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["copy"]


def test_an_older_copy_replaces_newer_tables_and_is_brought_up_to_date(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        Path(str(engine.url.database)).parent.mkdir()
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0003")
    engine.dispose()
    db("backup", copy)
    newest = json.loads(db("upgrade", "--json").stdout)["revision"]
    assert "revision 0003" in db("restore", copy, "--force").stdout
    assert "mutx db upgrade" in db("current", exits=Exit.FAILURE).stdout
    assert json.loads(db("upgrade", "--json").stdout)["revision"] == newest
    db("current")


def test_what_is_no_copy_changes_nothing(url: str, tmp_path: Path) -> None:
    db("upgrade")
    sql(url, USER)
    (tmp_path / "junk").write_bytes(b"SQLite format 3\0" + b"junk" * 1000)
    db("restore", tmp_path / "junk", "--force", exits=Exit.FAILURE)
    assert "there is no file" in db("restore", tmp_path / "nowhere", "--force", exits=Exit.FAILURE).stderr
    assert sql(url, "SELECT email FROM users") == ["ana@example.org"]
    db("current")


def test_a_damaged_copy_is_refused(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    db("upgrade")
    db("backup", copy)
    with closing(sqlite3.connect(copy)) as file:
        page = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_users_1'").fetchone()[0]
        size = file.execute("PRAGMA page_size").fetchone()[0]
    with copy.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert "damaged" in db("restore", copy, "--force", exits=Exit.FAILURE).stderr
    db("current")


def test_nothing_there_yet(home: Path, tmp_path: Path) -> None:
    for words in (("current",), ("backup", tmp_path / "copy")):
        assert "there is no database" in db(*words, exits=Exit.FAILURE).stderr
    assert not (tmp_path / "copy").exists()


def test_the_database_is_not_its_own_copy(home: Path) -> None:
    db("upgrade")
    assert "itself" in db("backup", home / "mutx.db", "--force", exits=Exit.FAILURE).stderr
    assert "cannot write" in db("backup", home / "nowhere" / "copy", exits=Exit.FAILURE).stderr


async def test_receipts_verify_after_a_restore(home: Path, tmp_path: Path) -> None:
    """A copy is taken under a running control plane; a new machine with its keys goes on from there."""
    copy, moved = tmp_path / "copy", tmp_path / "moved"
    async with world.started(home) as plane, world.inhabited(plane) as people:
        kept = [await people.decide("read") for _ in range(3)]
        await asyncio.to_thread(db, "backup", copy)
        await people.decide("read")
        refused = await asyncio.to_thread(db, "restore", copy, "--force", exits=Exit.FAILURE)
        assert "another MUTX process" in refused.stderr
    _move_keys(home, moved)
    with pytest.MonkeyPatch.context() as monkey:
        monkey.setenv("MUTX_HOME", str(moved))
        await asyncio.to_thread(db, "restore", copy)
    await _goes_on(moved, tmp_path, kept[-1]["seq"])


async def test_receipts_verify_after_a_restore_on_postgresql(
    home: Path, tmp_path: Path, postgres: Postgres, empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where the store is a server: the copy goes into another database, which lacks nothing then."""
    copy, moved, other = tmp_path / "copy", tmp_path / "moved", postgres.new()
    monkeypatch.setenv("PATH", str(postgres.binaries), prepend=":")
    monkeypatch.setenv("DATABASE_URL", empty_postgres)
    async with world.started(home, database_url=empty_postgres) as plane, world.inhabited(plane) as people:
        kept = [await people.decide("read") for _ in range(3)]
        await asyncio.to_thread(db, "backup", copy)
        await people.decide("read")
    _move_keys(home, moved)
    monkeypatch.setenv("MUTX_HOME", str(moved))
    monkeypatch.setenv("DATABASE_URL", postgres.url(other))
    await asyncio.to_thread(db, "restore", copy)
    assert json.loads((await asyncio.to_thread(db, "current", "--json")).stdout)["differences"] == []
    await _goes_on(moved, tmp_path, kept[-1]["seq"], database_url=postgres.url(other))
    postgres.drop(other)


def _move_keys(home: Path, moved: Path) -> None:
    shutil.copytree(home / "keys", moved / "keys")
    moved.chmod(0o700)


async def _goes_on(moved: Path, tmp_path: Path, seq: int, **given: str) -> None:
    """A control plane there decides as the next of that session, and all its receipts verify offline."""
    async with world.started(moved, **given) as plane, world.client(plane, await plane.local_token()) as operator:
        assert (await world.post(operator, "/v1/governance/decide", world.call("read")))["seq"] == seq + 1
        export = await operator.get("/v1/security/receipts/export", params={"session_id": "s"})
        keys = await operator.get("/v1/security/keys")
    (tmp_path / "export.jsonl").write_bytes(export.content)
    (tmp_path / "keys.json").write_bytes(keys.content)
    report = verify_file(tmp_path / "export.jsonl", [str(tmp_path / "keys.json")])
    assert report.verdict == "verified", report


def test_a_password_is_not_in_argv(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    name = postgres.migrated()
    said = tmp_path / "said"
    (tmp_path / "pg_dump").write_text(f'#!/bin/sh\necho "$*/$PGPASSWORD/$PGSSLMODE" > {said}\necho no >&2; exit 3\n')
    (tmp_path / "pg_dump").chmod(0o755)
    monkeypatch.setenv("DATABASE_URL", postgres.url(name).replace("postgres@", "postgres:s%40cret@"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert "pg_dump failed: no" in db("--ssl-mode", "off", "backup", tmp_path / "copy", exits=Exit.FAILURE).stderr
    arguments, password, mode = said.read_text().strip().rsplit("/", 2)
    assert (password, mode) == ("s@cret", "disable")
    assert "cret" not in arguments
    assert not (tmp_path / "copy").exists()
    postgres.drop(name)


def test_missing_tools_are_named(
    empty_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_postgres)
    db("upgrade")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pg_backup, "DEBIAN", tmp_path)
    assert "postgresql-client" in db("backup", tmp_path / "copy", exits=Exit.FAILURE).stderr
    (tmp_path / "15" / "bin").mkdir(parents=True)
    for version, exits in (("9.6", 4), ("15", 3)):
        (tmp_path / version / "bin").mkdir(parents=True, exist_ok=True)
        tool = tmp_path / version / "bin" / "pg_dump"
        tool.write_text(f"#!/bin/sh\nexit {exits}\n")
        tool.chmod(0o755)
    assert "exit status 3" in db("backup", tmp_path / "copy", exits=Exit.FAILURE).stderr
