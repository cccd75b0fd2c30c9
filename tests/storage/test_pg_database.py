"""The relational store on PostgreSQL: the same units of work and views as on SQLite, over many processes."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, Executable, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.kit.errors import InputError, SetupError, StorageFull, Unavailable
from mutx.storage.ledger_tables import create_tables, outbox_cursors
from mutx.storage.pg_connect import PostgresOptions
from mutx.storage.pg_database import PostgresDatabase
from tests.postgres import Postgres

CURSOR = {"sink": "log", "last_id": 1}


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    options = PostgresOptions(pool_size=2, max_overflow=1, pool_seconds=0.3)
    database = PostgresDatabase(postgres_url, options, unit=2.0)
    await database.start(create_tables)
    yield database
    await database.stop()


async def _write(database: PostgresDatabase, row: dict[str, object], failure: Exception | None = None) -> None:
    async with database.write() as session:
        await session.execute(insert(outbox_cursors), row)
        if failure is not None:
            raise failure


async def _execute(database: PostgresDatabase, *statements: object) -> None:
    """A unit of work; a callable is called in the midst of it."""
    async with database.write() as session:
        for statement in statements:
            await session.execute(statement) if isinstance(statement, Executable) else statement()


async def _write_in_a_view(database: PostgresDatabase) -> None:
    async with database.read() as session:
        await session.execute(insert(outbox_cursors), CURSOR)


async def _sinks(database: PostgresDatabase) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(select(outbox_cursors.c.sink).order_by(outbox_cursors.c.sink)))


async def test_a_unit_of_work_is_kept_whole_or_not_at_all(database: PostgresDatabase) -> None:
    await _write(database, CURSOR)
    with pytest.raises(RuntimeError, match="changed my mind"):
        await _write(database, {"sink": "mail", "last_id": 1}, RuntimeError("changed my mind"))
    with pytest.raises(IntegrityError):
        await _write(database, CURSOR)
    assert await _sinks(database) == ["log"]
    assert database.pool().acquired == 0


async def test_a_view_is_consistent_and_cannot_write(database: PostgresDatabase) -> None:
    async with database.read() as session:
        await _write(database, CURSOR)
        assert (await session.scalars(select(outbox_cursors.c.sink))).all() == []
    with pytest.raises(Unavailable):
        await _write_in_a_view(database)
    assert await _sinks(database) == ["log"]


async def test_units_of_two_processes_take_turns(database: PostgresDatabase, postgres_url: str) -> None:
    """Each adds one to what it read: without turns, additions would be lost."""
    other = PostgresDatabase(postgres_url)
    await other.start(lambda _: None)
    await _write(database, CURSOR)

    async def add(where: PostgresDatabase) -> None:
        async with where.write() as session:
            before = await session.scalar(select(outbox_cursors.c.last_id))
            await asyncio.sleep(0)
            await session.execute(update(outbox_cursors).values(last_id=before + 1))

    for _ in range(10):
        await asyncio.gather(add(database), add(other))
    await other.stop()
    async with database.read() as session:
        assert await session.scalar(select(outbox_cursors.c.last_id)) == 21


async def test_units_that_need_not_be_alone_run_side_by_side(database: PostgresDatabase) -> None:
    async with database.write() as alone, database.write(alone=False) as beside:
        await alone.execute(insert(outbox_cursors), CURSOR)
        await beside.execute(insert(outbox_cursors), {"sink": "mail", "last_id": 1})
    assert await _sinks(database) == ["log", "mail"]


async def test_a_unit_that_takes_too_long_is_undone(postgres_url: str) -> None:
    database = PostgresDatabase(postgres_url, unit=0.3)
    await database.start(lambda _: None)
    with pytest.raises(Unavailable, match="too long"):
        await _execute(database, insert(outbox_cursors).values(CURSOR), text("SELECT pg_sleep(5)"))
    patient = PostgresDatabase(postgres_url)
    await patient.start(lambda _: None)
    async with patient.write():
        with pytest.raises(Unavailable, match="busy"):
            await _execute(database)
    await patient.stop()
    assert await _sinks(database) == []
    with pytest.raises(TimeoutError):  # somebody else's timeout is not taken for ours
        await _write(database, CURSOR, TimeoutError())
    await _write(database, CURSOR)
    await database.stop()


async def test_a_pool_with_nothing_left_refuses(database: PostgresDatabase) -> None:
    async with database.read(), database.read(), database.read():
        assert database.pool() == (2, 3, 1)
        with pytest.raises(Unavailable, match="in use"):
            await _sinks(database)
    assert await _sinks(database) == []


async def test_connections_that_died_are_replaced(database: PostgresDatabase, postgres: Postgres) -> None:
    async with database.read(), database.read():
        pass
    kill = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()"""
    async with database.read() as session:
        name = str(await session.scalar(text("SELECT current_database()")))
    postgres.execute(kill, name)
    await _write(database, CURSOR)
    assert await _sinks(database) == ["log"]
    with pytest.raises(Unavailable, match="broke"):
        await _execute(database, lambda: postgres.execute(kill, name), insert(outbox_cursors).values(CURSOR))
    assert await _sinks(database) == ["log"]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT chr(0)", InputError),
        ("SELECT 'NaN'::json", InputError),
        ("SELECT nothing", Unavailable),
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$", StorageFull),
        ("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$", Unavailable),
    ],
)
async def test_errors_say_what_to_do(database: PostgresDatabase, statement: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        await _execute(database, text(statement))
    assert type(caught.value) is error
    assert statement not in str(caught.value)


async def test_a_value_that_the_driver_refuses_is_an_input_error(database: PostgresDatabase) -> None:
    with pytest.raises(InputError):
        await _write(database, {"sink": "log", "last_id": 2**70})
    with pytest.raises(InputError):
        await _write(database, {"sink": "x" * 65, "last_id": 1})


async def test_one_process_migrates_at_a_time(postgres_url: str) -> None:
    """Without turns the second would fail: the table would be there by the time it makes it."""

    def prepare(connection: Connection) -> None:
        if not connection.scalar(text("SELECT to_regclass('once') IS NOT NULL")):
            connection.execute(text("SELECT pg_sleep(0.05)"))
            connection.execute(text("CREATE TABLE once (id int)"))

    several = [PostgresDatabase(postgres_url) for _ in range(3)]
    await asyncio.gather(*(each.start(prepare) for each in several))
    await asyncio.gather(*(each.stop() for each in several))


async def test_a_start_that_fails_says_why(postgres: Postgres, empty_postgres: str) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(text("SELECT 1 FROM nothing"))

    with pytest.raises(SetupError, match="42P01"):
        await PostgresDatabase(empty_postgres).start(broken)
    with pytest.raises(SetupError, match="no such database"):
        await PostgresDatabase(postgres.url("nowhere")).start(create_tables)
    with pytest.raises(SetupError, match="refuses this user"):
        await PostgresDatabase(empty_postgres.replace("postgres@", "nobody@")).start(create_tables)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await PostgresDatabase("postgresql://postgres@127.0.0.1:1/mutx").start(create_tables)


async def test_every_connection_is_durable_and_in_utc(postgres: Postgres, postgres_url: str) -> None:
    name = postgres_url.rsplit("/", 1)[-1]
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    postgres.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'")
    database = PostgresDatabase(postgres_url)
    await database.start(lambda _: None)

    async def shown(session: AsyncSession) -> list[object]:
        return [await session.scalar(text(f"SHOW {setting}")) for setting in ("synchronous_commit", "timezone")]

    async with database.read() as view, database.write() as unit:
        assert [await shown(view), await shown(unit)] == [["on", "UTC"]] * 2
    await database.stop()
