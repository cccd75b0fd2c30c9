"""Slices and the ledger share one file and one queue of writers."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from mutx.kit.errors import SetupError, Unavailable
from mutx.storage.ledger_tables import create_tables, outbox_cursors
from mutx.storage.sqlite_database import SqliteDatabase
from mutx.storage.tables import UtcDateTime
from tests.conformance.scribe import Scribe

DURABLE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
CURSOR = {"sink": "log", "last_id": 1}


async def test_every_live_connection_is_durable(database: SqliteDatabase) -> None:
    for name, expected in DURABLE.items():
        pragma = f"PRAGMA {name}"
        written = await database.writer.execute(lambda batch, sql=pragma: batch.connection.execute(sql).fetchone())
        assert written == (expected,)
        assert await database.readers(_first, pragma) == (expected,)
        async with database.read() as session:
            assert await session.scalar(text(pragma)) == expected
        async with database.write() as session:
            assert await session.scalar(text(pragma)) == expected


async def _write(database: SqliteDatabase, row: dict[str, object], failure: Exception | None = None) -> None:
    async with database.write() as session:
        await session.execute(insert(outbox_cursors), row)
        if failure is not None:
            raise failure


async def test_a_query_that_fails_is_a_refusal(database: SqliteDatabase) -> None:
    with pytest.raises(Unavailable):
        await database.readers(_first, "SELECT nothing")


def _first(db: sqlite3.Connection, statement: str) -> object:
    return db.execute(statement).fetchone()


async def test_a_unit_of_work_is_kept_whole_or_not_at_all(database: SqliteDatabase) -> None:
    async with database.write() as session:
        await session.execute(insert(outbox_cursors), CURSOR)
    with pytest.raises(RuntimeError, match="changed my mind"):
        await _write(database, {"sink": "mail", "last_id": 1}, RuntimeError("changed my mind"))
    with pytest.raises(IntegrityError):
        await _write(database, CURSOR)
    async with database.read() as session:
        assert (await session.scalars(select(outbox_cursors.c.sink))).all() == ["log"]


async def test_a_reader_cannot_write(database: SqliteDatabase) -> None:
    with pytest.raises(Unavailable):
        async with database.read() as session:
            await session.execute(insert(outbox_cursors), CURSOR)


async def test_units_and_turns_take_turns(database: SqliteDatabase, scribe: Scribe) -> None:
    async def unit(number: int) -> None:
        async with database.write() as session:
            await session.execute(insert(outbox_cursors), {"sink": f"sink-{number}", "last_id": number})
            await asyncio.sleep(0)

    await asyncio.gather(*(unit(n) for n in range(10)), *(scribe.allow(f"s-{n}") for n in range(20)))
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM outbox_cursors")) == 10
        assert await session.scalar(text("SELECT count(*) FROM ledger_turns")) == 20


async def test_waiting_for_the_ledger_inside_a_unit_ends_in_a_refusal_not_a_deadlock(
    database: SqliteDatabase, scribe: Scribe
) -> None:
    with pytest.raises(Unavailable):
        await _write_and_decide(database, scribe)
    async with database.read() as session:
        assert await session.scalar(select(outbox_cursors.c.sink)) is None
    await scribe.allow()


async def _write_and_decide(database: SqliteDatabase, scribe: Scribe) -> None:
    async with database.write() as session:
        await session.execute(insert(outbox_cursors), CURSOR)
        await scribe.allow()


async def test_a_unit_that_waits_too_long_for_its_turn_is_refused(database: SqliteDatabase) -> None:
    async with database.writer.turn(1.0):
        with pytest.raises(Unavailable, match="busy"):
            async with database.write():
                pytest.fail("two units at once")
    async with database.write() as session:
        await session.execute(insert(outbox_cursors), CURSOR)


async def test_somebody_elses_timeout_is_not_taken_for_ours(database: SqliteDatabase) -> None:
    with pytest.raises(TimeoutError):
        async with database.write():
            raise TimeoutError


async def test_one_process_writes_a_file(database: SqliteDatabase, path: Path) -> None:
    second = SqliteDatabase(path)
    with pytest.raises(SetupError, match=r"another MUTX process writes mutx\.db"):
        await second.start(create_tables)


async def test_a_failed_start_lets_go_of_the_file(path: Path) -> None:
    def broken(_: object) -> None:
        raise SetupError("the migration failed")

    with pytest.raises(SetupError, match="migration"):
        await SqliteDatabase(path).start(broken)
    database = SqliteDatabase(f"sqlite:///{path}")
    await database.start(create_tables)
    await database.stop()
    await database.stop()
    with pytest.raises(Unavailable):
        async with database.write():
            pytest.fail("written after the end")


@pytest.mark.parametrize("url", ["postgresql+asyncpg://host/db", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused_by_name(url: str) -> None:
    with pytest.raises(SetupError, match="DATABASE_URL"):
        SqliteDatabase(url)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5))])
def test_times_go_in_aware_and_come_out_in_utc(zone: timezone) -> None:
    kind, dialect = UtcDateTime(), None
    moment = datetime(2027, 1, 15, 8, tzinfo=zone)
    bound = kind.process_bind_param(moment, dialect)  # type: ignore[arg-type]
    assert bound is not None
    for stored in (bound, bound.replace(tzinfo=None)):
        assert kind.process_result_value(stored, dialect) == moment  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="zone"):
        kind.process_bind_param(moment.replace(tzinfo=None), dialect)  # type: ignore[arg-type]
    nothing: Callable[..., object]
    for nothing in (kind.process_bind_param, kind.process_result_value):
        assert nothing(None, dialect) is None
