"""A full disk, a failing commit, a locked file, a flood: an error for everybody concerned, nothing lost, nothing half."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mutx.governance.context import ContextAccumulator
from mutx.kit.clock import ManualClock
from mutx.kit.errors import LedgerUnavailable, MutxError, StorageFull, Unavailable
from mutx.storage.dialect import connect
from mutx.storage.ledger import SqliteLedger
from mutx.storage.ledger_tables import create_tables
from mutx.storage.sqlite_database import SqliteDatabase
from mutx.storage.writer import WriteBatch, Writer
from tests.conformance.scribe import Scribe, charge

WS, S = "ws-1", "s-1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mutx.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(path, busy=0.1)
    await database.start(create_tables)
    yield database
    await database.stop()


@pytest.fixture
def ledger(database: SqliteDatabase) -> SqliteLedger:
    return SqliteLedger(database, ContextAccumulator(), ManualClock())


@pytest.fixture
def scribe(ledger: SqliteLedger) -> Scribe:
    return Scribe(ledger, ContextAccumulator(), ManualClock())


async def test_a_full_disk_refuses_and_loses_nothing(
    database: SqliteDatabase, ledger: SqliteLedger, scribe: Scribe
) -> None:
    def limit(batch: WriteBatch, pages: int) -> None:
        batch.connection.execute(f"PRAGMA max_page_count={pages}")

    kept = await scribe.allow(S, charge(1, limit=1000))
    await database.writer.execute(lambda batch: limit(batch, 1))
    with pytest.raises(StorageFull):
        await scribe.allow(S, charge(1, limit=1000), text="x" * 100_000)
    assert ledger.cached(WS, S) is None
    assert [turn.id for turn in await ledger.turns(WS, S)] == [kept.id]
    assert ledger.counter(WS, charge().key) == 1
    await scribe.allow(S, charge(1, limit=1000), text="x" * 100_000)  # the recovered connection has its own limit
    assert [turn.seq for turn in await ledger.turns(WS, S)] == [1, 2]


class FailingCommits(sqlite3.Connection):
    """A connection whose next commits fail as they do when the disk cannot be synced."""

    failures = 0

    def execute(self, sql: str, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
        if sql == "COMMIT" and FailingCommits.failures:
            FailingCommits.failures -= 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(sql, *args)


def _failing(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FailingCommits)
    connection.execute("PRAGMA synchronous=FULL")
    return connection


async def test_a_failing_commit_answers_nobody(path: Path) -> None:
    database = SqliteDatabase(path)
    database.writer = Writer(partial(_failing, path))
    await database.start(create_tables)
    accumulator, clock = ContextAccumulator(), ManualClock()
    ledger = SqliteLedger(database, accumulator, clock)
    scribe = Scribe(ledger, accumulator, clock)
    try:
        kept = await scribe.allow(S)
        FailingCommits.failures = 1
        async with database.writer.turn(1.0):  # so that all of them wait for one commit
            tries = [asyncio.ensure_future(scribe.allow(name, charge(1, limit=100))) for name in (S, "s-2", "s-3")]
            await asyncio.sleep(0.01)
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert [type(result) for result in results] == [LedgerUnavailable] * 3
        assert [ledger.cached(WS, name) for name in (S, "s-2", "s-3")] == [None] * 3
        assert ledger.counter(WS, charge().key) == 0
        assert [turn.id for turn in await ledger.turns(WS, S)] == [kept.id]
        await asyncio.gather(*(scribe.allow(name) for name in (S, "s-2", "s-3")))
        assert [turn.seq for turn in await ledger.turns(WS, S)] == [1, 2]
    finally:
        await database.stop()


async def test_a_file_that_another_program_locks_refuses_until_it_is_free(
    path: Path, ledger: SqliteLedger, scribe: Scribe
) -> None:
    await scribe.allow()
    other = connect(str(path), writes=True)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="another program"):
        await scribe.allow()
    with pytest.raises(LedgerUnavailable, match="another program"):
        await ledger.redeem(WS, "a", "p", 1.0)
    other.execute("ROLLBACK")
    other.close()
    await scribe.allow()
    assert [turn.seq for turn in await ledger.turns(WS, S)] == [1, 2]


async def test_a_file_that_is_locked_for_a_while_delays_writes_and_not_the_loop(path: Path, scribe: Scribe) -> None:
    other = connect(str(path), writes=True)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(scribe.allow())
    for _ in range(20):  # the loop goes on while the write waits for the file
        await asyncio.sleep(0.001)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    assert (await waiting).seq == 1


async def test_a_turn_that_was_given_up_holds_up_nobody(database: SqliteDatabase) -> None:
    writer = database.writer
    async with writer.turn(1.0):
        given_up = [asyncio.ensure_future(_hold(writer)) for _ in range(2)]
        after = writer.execute(lambda batch: 1)
        await asyncio.sleep(0)
        given_up[0].cancel()
        with pytest.raises(Unavailable, match="busy"):
            async with writer.turn(0.01):
                pass
        await asyncio.gather(given_up[0], return_exceptions=True)
    assert await after == 1
    await given_up[1]
    assert await writer.execute(lambda batch: 2) == 2


async def _hold(writer: Writer) -> None:
    async with writer.turn(1.0):
        await asyncio.sleep(0)


async def test_a_flood_is_turned_away(database: SqliteDatabase) -> None:
    writer = Writer(partial(connect, str(database.path), writes=True), max_waiting=2)
    writer.start()
    try:
        async with writer.turn(1.0):
            waiting = [writer.execute(lambda batch: 1) for _ in range(2)]
            with pytest.raises(LedgerUnavailable, match="too many"):
                writer.execute(lambda batch: 1)
        assert await asyncio.gather(*waiting) == [1, 1]
        assert await writer.execute(lambda batch: 2) == 2
    finally:
        await writer.stop()
    with pytest.raises(LedgerUnavailable, match="being closed"):
        writer.execute(lambda batch: 1)


async def test_a_unit_that_never_ends_does_not_stop_the_ledger(database: SqliteDatabase) -> None:
    writer = Writer(partial(connect, str(database.path), writes=True), stand_still=0.01)
    writer.start()
    async with writer.turn(1.0):
        assert await writer.execute(lambda batch: 1) == 1
    await writer.stop()


async def test_a_file_that_cannot_be_opened_again_refuses_until_it_can(path: Path, database: SqliteDatabase) -> None:
    away = sqlite3.OperationalError("unable to open database file")
    openings = [connect(str(path), writes=True), away, connect(str(path), writes=True)]

    def opening() -> sqlite3.Connection:
        found = openings.pop(0)
        if isinstance(found, sqlite3.Error):
            raise found
        return found

    writer = Writer(opening)
    writer.start()
    for statement in ("SELECT nothing", "SELECT 1"):
        with pytest.raises(LedgerUnavailable):
            await writer.execute(lambda batch, sql=statement: batch.connection.execute(sql).fetchone())
    assert await writer.execute(lambda batch: batch.connection.execute("SELECT 1").fetchone()) == (1,)
    await writer.stop()


async def test_a_bug_in_a_write_fails_its_batch_and_not_the_writer(database: SqliteDatabase, scribe: Scribe) -> None:
    def bug(batch: WriteBatch) -> None:
        batch.connection.execute("INSERT INTO outbox_cursors VALUES ('log', 1)")
        raise KeyError("bug")

    with pytest.raises(LedgerUnavailable):
        await database.writer.execute(bug)
    await scribe.allow()
    rows = await database.writer.execute(
        lambda batch: batch.connection.execute("SELECT * FROM outbox_cursors").fetchall()
    )
    assert rows == []


async def test_a_bug_in_who_waits_keeps_nobody_else_waiting(database: SqliteDatabase) -> None:
    def stumbles(_result: Any, _error: MutxError | None) -> None:
        raise KeyError("bug")

    database.writer.submit(lambda batch: 1, stumbles)
    after = database.writer.execute(lambda batch: 2)
    assert await asyncio.wait_for(after, 60) == 2


async def test_an_impatient_caller_does_not_harm_the_turn(ledger: SqliteLedger, scribe: Scribe) -> None:
    state = await scribe.state()
    waiting = asyncio.ensure_future(ledger.append(state, scribe.decided(state, scribe.action(), scribe.decision())))
    waiting.cancel()
    await scribe.allow()
    assert [turn.seq for turn in await ledger.turns(WS, S)] == [1, 2]
