"""The database at a start: waited for, brought up to date, compared with what the code declares."""

import asyncio

import structlog
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import Connection

from mutx.kit.errors import Unavailable
from mutx.server.migrations.drift import differences, repaired
from mutx.server.migrations.run import expect_newest, upgrade
from mutx.storage.engine import Database

log = structlog.stdlib.get_logger("mutx.schema")

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
"""Seconds between tries, doubling."""


class SchemaKeeper:
    """Migrates, and looks for drift. What is found is told, never mended here: `mutx db repair` does that."""

    def __init__(self, *, migrate: bool) -> None:
        """`migrate=False`: a database that is not up to date is refused."""
        self._migrate = migrate
        self.differences: tuple[str, ...] = ()
        self.repaired = 0

    def prepare(self, connection: Connection) -> None:
        """For `Database.start`. Raises SetupError."""
        (upgrade if self._migrate else expect_newest)(connection)
        self.differences = tuple(each.what for each in differences(connection))
        # Without its table nothing is known of repairs; that it is missing stands among the differences.
        self.repaired = 0 if "table schema_repairs is missing" in self.differences else repaired(connection)

    def tell(self, registry: CollectorRegistry) -> None:
        """In the log and in gauges of this registry."""
        for difference in self.differences:
            log.error("the database is not as this release declares it; run `mutx db repair`", difference=difference)
        gauge = Gauge(
            "mutx_runtime_schema_drift", "Differences between tables and code at the start", registry=registry
        )
        gauge.set(len(self.differences))
        flag = Gauge("mutx_runtime_schema_repairs_applied", "1 if tables were ever mended", registry=registry)
        flag.set(self.repaired > 0)
        count = Gauge("mutx_runtime_schema_repairs_total", "How many things were mended", registry=registry)
        count.set(self.repaired)


async def start_database(database: Database, keeper: SchemaKeeper, seconds: float) -> None:
    """Start it, waiting up to `seconds` while it is not up. Raises SetupError, Unavailable."""
    loop, wait = asyncio.get_running_loop(), FIRST_WAIT
    deadline = loop.time() + seconds
    while True:
        try:
            await database.start(keeper.prepare)
        except Unavailable as error:
            if loop.time() + wait > deadline:
                raise
            log.warning("the database is not up yet", reason=str(error), next_try_seconds=wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        else:
            return
