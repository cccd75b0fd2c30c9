from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mutx.governance.context import ContextAccumulator
from mutx.kit.clock import ManualClock
from mutx.storage.ledger import SqliteLedger
from mutx.storage.ledger_tables import create_tables
from mutx.storage.sqlite_database import SqliteDatabase
from tests.conformance.pg import ledger_database as ledger_database
from tests.conformance.scribe import Scribe


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mutx.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(path, unit=0.5, busy=0.2)
    await database.start(create_tables)
    yield database
    await database.stop()


@pytest.fixture
def accumulator() -> ContextAccumulator:
    return ContextAccumulator()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(database: SqliteDatabase, accumulator: ContextAccumulator, clock: ManualClock) -> SqliteLedger:
    return SqliteLedger(database, accumulator, clock)


@pytest.fixture
def scribe(ledger: SqliteLedger, accumulator: ContextAccumulator, clock: ManualClock) -> Scribe:
    return Scribe(ledger, accumulator, clock)
