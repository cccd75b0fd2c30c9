"""`mutx db`: the database of this installation, looked at and cared for by hand.

The command line reaches it by the entry point `mutx.embedded: db`, so everything goes in and out as plain values.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, inspect

from mutx.kit.clock import SystemClock
from mutx.kit.errors import Conflict
from mutx.server.database import open_database, postgres_tools
from mutx.server.home import prepare
from mutx.server.migrations.drift import differences, mend
from mutx.server.migrations.run import newest, revision, upgrade
from mutx.server.settings import Settings, read_settings
from mutx.server.tables import METADATA
from mutx.storage import sqlite_backup
from mutx.storage.engine import Database
from mutx.storage.sqlite_database import SqliteDatabase

T = TypeVar("T")

VERSION_TABLE = "alembic_version"


def open_admin(ssl_mode: str = "", **given: Any) -> "DatabaseAdmin":
    """`given` overrides settings by their field names. Raises SetupError."""
    return DatabaseAdmin(read_settings(**given), ssl_mode)


class DatabaseAdmin:
    """Each method opens the database and closes it again. All raise SetupError, or Unavailable where it does not answer."""

    def __init__(self, settings: Settings, ssl_mode: str = "") -> None:
        self._settings = settings
        self._ssl_mode = ssl_mode

    def reached(self) -> dict[str, Any] | None:
        """The `server` that answers, its `major` version, whether it is `writable` and what is said to it `private`.

        None for an SQLite file that is not there.
        """
        database = self._open()
        if isinstance(database, SqliteDatabase) and not database.path.exists():
            return None
        return asyncio.run(self._look(_answering))

    def current(self) -> dict[str, Any]:
        """`revision`, the `newest` there is, and `differences` between the tables and what this release declares."""

        def view(connection: Connection) -> tuple[str | None, list[str]]:
            return revision(connection), [each.what for each in differences(connection)]

        found, differing = asyncio.run(self._look(view))
        # Older tables differ because they are older; that is what `upgrade` is for.
        return {"revision": found, "newest": newest(), "differences": differing if found == newest() else []}

    def upgrade(self) -> dict[str, Any]:
        """Bring the tables up to date. Returns what `current` does."""
        prepare(self._settings.home)
        asyncio.run(self._alone(upgrade))
        return self.current()

    def repair(self) -> list[str]:
        """Make again what is missing; returns what was. Raises Conflict where a person must."""
        return asyncio.run(self._alone(lambda connection: mend(connection, SystemClock())))

    def backup(self, target: Path, *, force: bool = False) -> str:
        """Copy everything as of this moment to `target`, mode 0600, also under a running server. Returns the revision."""
        if target.exists() and not force:
            raise Conflict(f"{target} exists; name another file, or add --force")
        found = asyncio.run(self._look(revision))
        database = self._open()
        if isinstance(database, SqliteDatabase):
            sqlite_backup.backup(database.path, target.absolute())
        else:
            postgres_tools(self._settings, self._ssl_mode).backup(target.absolute())
        return found or "none"

    def restore(self, source: Path, *, force: bool = False) -> str:
        """Put a copy in the place of what is there; stop every server first. Returns its revision.

        Raises Conflict where something is there and `force` is not given.
        """
        database = self._open()
        if isinstance(database, SqliteDatabase):
            if database.path.exists() and not force:
                raise Conflict(f"{database.path} exists; add --force to replace it")
            sqlite_backup.look(source, revision)  # from no newer release, or it stops here
            sqlite_backup.restore(source.absolute(), database.path)
        else:
            if asyncio.run(self._look(_is_ours)) and not force:
                raise Conflict("the database holds tables of MUTX; add --force to replace them")
            ours = (*METADATA.tables, VERSION_TABLE)
            postgres_tools(self._settings, self._ssl_mode).restore(source.absolute(), ours)
        return asyncio.run(self._look(revision)) or "none"

    def _open(self) -> Database:
        return open_database(self._settings, ssl_mode=self._ssl_mode)

    async def _look(self, view: Callable[[Connection], T]) -> T:
        database = self._open()
        try:
            return await database.look(view)
        finally:
            await database.stop()

    async def _alone(self, work: Callable[[Connection], T]) -> T:
        """Run `work` as a start does: alone, in one transaction."""
        results: list[T] = []
        database = self._open()
        await database.start(lambda connection: results.append(work(connection)))
        await database.stop()
        return results[0]


def _answering(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
        return {"server": f"SQLite {found}", "major": 0, "writable": True, "private": True}
    version, number, standby, private = connection.exec_driver_sql(
        "SELECT current_setting('server_version'), current_setting('server_version_num')::int, pg_is_in_recovery(), "
        "coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) "
        "OR coalesce(host(inet_server_addr()) IN ('127.0.0.1', '::1'), true)"
    ).one()
    server = f"PostgreSQL {str(version).split()[0]}"
    return {"server": server, "major": number // 10_000, "writable": not standby, "private": private}


def _is_ours(connection: Connection) -> bool:
    return inspect(connection).has_table(VERSION_TABLE)
