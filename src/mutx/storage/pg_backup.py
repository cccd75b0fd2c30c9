"""Copies of a PostgreSQL database by its own tools, which are not part of MUTX."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from mutx.kit.errors import SetupError

DEBIAN = Path("/usr/lib/postgresql")

CLEAR_FUNCTIONS = """DO $$ DECLARE each text; BEGIN
    FOR each IN SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname IN ('ledger_append', 'outbox_numbered')
    LOOP EXECUTE 'DROP FUNCTION ' || each || ' CASCADE'; END LOOP;
    FOR each IN SELECT reltype::regtype FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'c' AND relname LIKE 'ledger_append_%'
    LOOP EXECUTE 'DROP TYPE ' || each || ' CASCADE'; END LOOP;
END $$;
"""
"""The ledger's: a copy from before they were there must be able to get them anew."""


class PostgresTools:
    """`pg_dump`, `pg_restore` and `psql` for one database. The password goes through the environment, not argv."""

    def __init__(self, url: str, ssl_mode: str) -> None:
        """`url`: libpq's, without `sslmode`."""
        parts = urlsplit(url)
        user, at, host = parts.netloc.rpartition("@")
        name, _, password = user.partition(":")
        self._url = urlunsplit(parts._replace(netloc=f"{name}{at}{host}"))
        if not parts.netloc:
            self._url = self._url.replace("postgresql:", "postgresql://", 1)
        self._environment = {**os.environ, "PGSSLMODE": ssl_mode, "PGAPPNAME": "mutx"}
        if password:
            self._environment["PGPASSWORD"] = unquote(password)

    def backup(self, target: Path) -> None:
        """An archive of everything as of one moment, made beside the target first. Raises SetupError."""
        new = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={new}", self._url)
            new.replace(target)
        except OSError as error:
            raise SetupError(f"cannot write {target}: {error.strerror}") from error
        finally:
            new.unlink(missing_ok=True)

    def restore(self, source: Path, tables: Sequence[str]) -> None:
        """Put the archive in the place of `tables`, in one transaction: all of it, or nothing. Raises SetupError."""
        if not source.is_file():
            raise SetupError(f"there is no file {source}")
        with tempfile.TemporaryDirectory(prefix="mutx-restore-") as folder:
            clear, script = Path(folder) / "clear.sql", Path(folder) / "restore.sql"
            dropped = "".join(f'DROP TABLE IF EXISTS "{table}" CASCADE;\n' for table in tables)
            clear.write_text(dropped + CLEAR_FUNCTIONS)
            archive = ("--clean", "--if-exists", "--no-owner", "--no-privileges")
            self._run("pg_restore", *archive, f"--file={script}", str(source))
            both = (f"--file={clear}", f"--file={script}")
            self._run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "--single-transaction", *both, f"--dbname={self._url}")

    def _run(self, tool: str, *arguments: str) -> None:
        ended = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, found below, with arguments of ours
            [_find(tool), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            lines = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
            raise SetupError(f"{tool} failed: {lines[0]}")


def _find(tool: str) -> str:
    """On the PATH, or where Debian keeps the newest."""
    found = shutil.which(tool)
    if found is not None:
        return found
    versions = sorted(DEBIAN.glob(f"*/bin/{tool}"), key=lambda path: float(path.parts[-3]))
    if versions:
        return str(versions[-1])
    raise SetupError(f"{tool} is not installed; install PostgreSQL's client programs (`apt install postgresql-client`)")
