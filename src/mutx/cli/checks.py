"""What `mutx doctor` looks at. Each check returns how it stands and what to do."""

import os
import socket
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from importlib.metadata import entry_points, version
from pathlib import Path
from time import time
from typing import Any, NamedTuple

from mutx.cli.state import CliState
from mutx.kit.errors import MutxError
from mutx_agent.hooks import ADAPTERS, HookNotProved, prove
from mutx_agent.settings import mutx_home

SKEW = 30.0
"""Seconds that this machine's clock and the server's may differ."""


LEAST_POSTGRESQL = 15


class CheckHealth(StrEnum):
    OK = "healthy"
    NOTE = "note"
    """Nothing is broken; there may be something to do."""
    BAD = "unhealthy"


class CheckResult(NamedTuple):
    health: CheckHealth
    detail: str
    remedy: str = ""
    """What to do, where there is something."""


Check = Callable[[CliState], CheckResult]


def home(_: CliState) -> CheckResult:
    path = mutx_home()
    if not path.exists():
        return CheckResult(CheckHealth.NOTE, f"{path} does not exist yet", "`mutx up` or `mutx login` makes it")
    return _private(path) or CheckResult(CheckHealth.OK, str(path))


def keys(_: CliState) -> CheckResult:
    folder = mutx_home() / "keys"
    if not folder.exists():
        return CheckResult(
            CheckHealth.NOTE, "no keys here", "a control plane on this machine makes them on its first start"
        )
    files = [folder, *(each for each in folder.rglob("*"))]
    wrong = next(filter(None, map(_private, files)), None)
    return wrong or CheckResult(
        CheckHealth.OK, f"{len(files) - 1} files in {folder}, readable by you alone", "keep a backup"
    )


def _private(path: Path) -> CheckResult | None:
    """What is wrong with the owner or the mode of something that holds secrets."""
    info = path.lstat()
    if stat.S_ISLNK(info.st_mode):
        return CheckResult(CheckHealth.BAD, f"{path} is a symbolic link", "put the real thing there")
    if info.st_uid != os.getuid():
        return CheckResult(CheckHealth.BAD, f"{path} belongs to another user", f"run `chown {os.getuid()} {path}`")
    if info.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(info.st_mode) else "600"
        return CheckResult(CheckHealth.BAD, f"others may read {path}", f"run `chmod {mode} {path}`")
    return None


def database(_: CliState) -> CheckResult:
    path = mutx_home() / "mutx.db"
    if os.environ.get("DATABASE_URL") or not path.exists():
        return _elsewhere()
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2)) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        return CheckResult(CheckHealth.BAD, f"{path} cannot be read: {error}", "restore it from a backup")
    if mode != "wal":
        return CheckResult(
            CheckHealth.BAD,
            f"{path} is in journal mode {mode}, not wal: something else wrote it",
            "start `mutx up` once",
        )
    return CheckResult(CheckHealth.OK, f"{path}, journal mode wal, {path.stat().st_size // 1024} KiB")


def _elsewhere() -> CheckResult:
    """The database that the settings name, asked as a control plane on this machine would."""
    try:
        found = _admin().reached()
    except MutxError as error:
        return _said(error)
    if found is None:
        return CheckResult(CheckHealth.NOTE, "no database here", "another machine has it, or nothing was started yet")
    name = found["server"]
    if 0 < found["major"] < LEAST_POSTGRESQL:
        return CheckResult(CheckHealth.BAD, f"{name} is too old", f"use PostgreSQL {LEAST_POSTGRESQL} or newer")
    if not found["writable"]:
        return CheckResult(
            CheckHealth.BAD, f"{name} is a standby and takes no writes", "name the primary in DATABASE_URL"
        )
    if not found["private"]:
        return CheckResult(
            CheckHealth.NOTE, f"{name}, over a network without encryption", "set DATABASE_SSL_MODE=verify-full"
        )
    return CheckResult(CheckHealth.OK, f"{name} answers and takes writes")


def schema(_: CliState) -> CheckResult:
    """The tables of the database that a control plane on this machine would use."""
    try:
        admin = _admin()
        if admin.reached() is None:
            return CheckResult(CheckHealth.NOTE, "no database here")
        found = admin.current()
    except MutxError as error:
        return _said(error)
    if found["revision"] != found["newest"]:
        return CheckResult(
            CheckHealth.BAD,
            f"at revision {found['revision'] or 'none'}, not {found['newest']}",
            "run `mutx db upgrade`",
        )
    if found["differences"]:
        return CheckResult(CheckHealth.BAD, "; ".join(found["differences"]), "take a backup, then run `mutx db repair`")
    return CheckResult(CheckHealth.OK, f"revision {found['revision']}, as this release declares it")


def _admin() -> Any:
    """Of the database. By name and at call time: nothing of the command line imports the server. Raises SetupError."""
    (opened,) = entry_points(group="mutx.embedded", name="db")
    return opened.load()()


def _said(error: MutxError) -> CheckResult:
    """Our errors say after the semicolon what to do."""
    detail, _, remedy = str(error).partition("; ")
    return CheckResult(CheckHealth.BAD, detail, remedy or "`mutx db current` says more")


def server(state: CliState) -> CheckResult:
    client = state.client
    try:
        health = client.health.get()
    except MutxError as error:
        return CheckResult(
            CheckHealth.BAD, f"{client.base_url}: {error}", "start one with `mutx up`, or name it with --url"
        )
    sick = [name for name, part in health.components.items() if part.status != "healthy"]
    if sick:
        return CheckResult(
            CheckHealth.BAD, f"{client.base_url} is ill: {', '.join(sick)}", "see the rows of these parts"
        )
    here = version("mutx")
    if health.version != here:
        return CheckResult(
            CheckHealth.NOTE, f"the server is {health.version}, this is {here}", "install the same version"
        )
    return CheckResult(
        CheckHealth.OK, f"{client.base_url}, version {health.version}, up for {health.uptime_seconds:.0f} s"
    )


def clock(state: CliState) -> CheckResult:
    try:
        health = state.client.health.get()
    except MutxError:
        return CheckResult(CheckHealth.NOTE, "unknown without a server")
    skew = abs(health.timestamp.timestamp() - time())
    if skew > SKEW:
        return CheckResult(
            CheckHealth.BAD,
            f"differs from the server's by {skew:.0f} s; expiries will surprise you",
            "set the time (NTP)",
        )
    return CheckResult(CheckHealth.OK, f"within {skew:.1f} s of the server's")


def login(state: CliState) -> CheckResult:
    try:
        me = state.client.auth.me()
    except MutxError as error:
        return CheckResult(CheckHealth.NOTE, str(error), "`mutx login` signs you in")
    return CheckResult(CheckHealth.OK, f"{me.name}, {', '.join(role.value for role in me.roles) or 'no roles'}")


def policy(state: CliState) -> CheckResult:
    try:
        enabled = [each for each in state.client.policies.list(limit=200) if each.enabled]
    except MutxError:
        return CheckResult(CheckHealth.NOTE, "unknown without a server and a login")
    if not enabled:
        return CheckResult(CheckHealth.NOTE, "none is in force, so everything is denied", "`mutx policies apply FILE`")
    return CheckResult(CheckHealth.OK, f"{len(enabled)} in force: {', '.join(each.name for each in enabled[:5])}")


def unix_socket(_: CliState) -> CheckResult:
    path = mutx_home() / "run" / "mutx.sock"
    if not path.exists():
        return CheckResult(CheckHealth.NOTE, "no control plane listens on a socket here")
    wrong = _private(path.parent)
    if wrong is not None:
        return wrong
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError as error:
            return CheckResult(
                CheckHealth.BAD, f"{path} is there and nobody answers ({error})", "start `mutx up` again"
            )
    return CheckResult(CheckHealth.OK, f"{path}, for this user alone")


def adapters(_: CliState) -> CheckResult:
    """The frameworks that are installed, each made to refuse a real tool call."""
    shown = []
    for name in ADAPTERS:
        try:
            proof = prove(name)
        except ImportError:
            continue
        except HookNotProved as error:
            return CheckResult(CheckHealth.BAD, str(error))
        shown.append(f"{name} {proof.version}: a denied tool does not run")
    return CheckResult(
        CheckHealth.OK if shown else CheckHealth.NOTE, "; ".join(shown) or "no agent framework is installed here"
    )
