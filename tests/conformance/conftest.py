"""Each story of the ledger runs on every ledger that ships."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mutx.governance.context import ContextAccumulator
from mutx.kit.clock import ManualClock
from mutx.storage.ledger import SqliteLedger
from mutx.storage.ledger_tables import create_tables
from mutx.storage.memory import MemoryLedger
from mutx.storage.sqlite_database import SqliteDatabase
from mutx.storage.views import LedgerStore
from tests.conformance.pg import emptied, postgres_ledger
from tests.conformance.pg import ledger_database as ledger_database
from tests.conformance.scribe import Scribe


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def accumulator() -> ContextAccumulator:
    return ContextAccumulator()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def ledger(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock, accumulator: ContextAccumulator
) -> AsyncIterator[LedgerStore]:
    if request.param == "memory":
        yield MemoryLedger(accumulator, clock)
        return
    if request.param == "postgres":
        url = await emptied(request.getfixturevalue("ledger_database"))
        async with postgres_ledger(url, accumulator, clock) as ledger:
            yield ledger
        return
    database = SqliteDatabase(tmp_path / "mutx.db")
    await database.start(create_tables)
    try:
        yield SqliteLedger(database, accumulator, clock)
    finally:
        await database.stop()


@pytest.fixture
def scribe(ledger: LedgerStore, accumulator: ContextAccumulator, clock: ManualClock) -> Scribe:
    return Scribe(ledger, accumulator, clock)
