"""PostgreSQL ledgers for tests; several of one database are several replicas."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import pytest

from mutx.governance.context import ContextAccumulator
from mutx.kit.clock import Clock
from mutx.storage.pg_ledger import PostgresLedger
from tests.postgres import Postgres

TABLES = """ledger_sessions, ledger_snapshots, ledger_turns, ledger_redemptions, ledger_counters, approval_requests,
    standing_grants, outbox, outbox_cursors"""


def connector(url: str) -> Any:
    return partial(asyncpg.connect, url)


@asynccontextmanager
async def postgres_ledger(
    url: str, accumulator: ContextAccumulator, clock: Clock, **more: Any
) -> AsyncIterator[PostgresLedger]:
    ledger = PostgresLedger(connector(url), accumulator, clock, **more)
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.stop()


@pytest.fixture(scope="session")
def ledger_database(postgres: Postgres) -> Iterator[str]:
    name = postgres.migrated()
    yield postgres.url(name)
    postgres.drop(name)


async def emptied(url: str) -> str:
    """The same database with an empty ledger; quicker than a new one for each test."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"TRUNCATE {TABLES}")
    await connection.close()
    return url
