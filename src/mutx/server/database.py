"""Which store DATABASE_URL means."""

from typing import TYPE_CHECKING

from mutx.governance.context import ContextAccumulator
from mutx.kit.clock import Clock
from mutx.kit.errors import SetupError
from mutx.server.settings import Settings
from mutx.storage.engine import Database
from mutx.storage.ledger import SqliteLedger
from mutx.storage.sqlite_database import SqliteDatabase
from mutx.storage.views import LedgerStore

if TYPE_CHECKING:
    from mutx.storage.pg_backup import PostgresTools


def open_database(settings: Settings, *, ssl_mode: str = "") -> Database:
    """The store of this installation, not started. `ssl_mode` goes before the setting, the setting before the URL.

    Raises SetupError for a URL that means nothing, or where the driver is not installed.
    """
    if not settings.url.startswith("postgres"):
        return SqliteDatabase(settings.url)
    try:
        from mutx.storage.pg_connect import PostgresOptions
        from mutx.storage.pg_database import PostgresDatabase
    except ImportError as error:
        raise SetupError("DATABASE_URL names PostgreSQL: install `mutx[postgres]`") from error
    options = PostgresOptions(
        ssl_mode=ssl_mode or settings.database_ssl_mode,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_max_overflow,
        pool_seconds=settings.database_pool_timeout,
    )
    return PostgresDatabase(settings.url, options)


def postgres_tools(settings: Settings, ssl_mode: str = "") -> "PostgresTools":
    """PostgreSQL's own programs, for the database that DATABASE_URL names."""
    from mutx.storage.pg_backup import PostgresTools
    from mutx.storage.pg_connect import resolve

    return PostgresTools(*resolve(settings.url, ssl_mode or settings.database_ssl_mode))


def open_ledger(database: Database, accumulator: ContextAccumulator, clock: Clock) -> LedgerStore:
    """The ledger that lies in this store, not started."""
    if isinstance(database, SqliteDatabase):
        return SqliteLedger(database, accumulator, clock)
    from mutx.storage.pg_database import PostgresDatabase
    from mutx.storage.pg_ledger import PostgresLedger

    assert isinstance(database, PostgresDatabase)
    return PostgresLedger(database.connect, accumulator, clock)
