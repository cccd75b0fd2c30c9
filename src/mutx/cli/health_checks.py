"""The list of what `mutx doctor` looks at, and those of its checks that ask the server or what stands behind it."""

import os
import shutil
import socket
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from urllib.parse import urlsplit

from mutx.cli import checks
from mutx.cli.checks import Check, CheckHealth, CheckResult
from mutx.cli.state import CliState
from mutx.kit.errors import MutxError
from mutx_agent.settings import mutx_home

MIB = 1024 * 1024
FREE_MIB = 256
"""Under this the disk counts as full."""
ROOMY_MIB = 2048
PONG = (b"+PONG", b"-NOAUTH")
"""Redis is there, also where it wants a password first."""


def redis(state: CliState) -> CheckResult:
    url = os.environ.get("REDIS_URL", "")
    if not url:
        return _part(state, "redis", "not used; one process needs none, several share limits and wake-ups through it")
    where = urlsplit(url)
    shown = f"{where.scheme}://{where.hostname or where.path}"
    try:
        answer = _ping(url)
    except (OSError, ValueError) as error:
        return CheckResult(CheckHealth.BAD, f"{shown} does not answer: {error}", "start Redis, or correct REDIS_URL")
    if not answer.startswith(PONG):
        return CheckResult(CheckHealth.BAD, f"{shown} is no Redis: it said {answer[:20]!r}", "correct REDIS_URL")
    return CheckResult(CheckHealth.OK, shown)


def _ping(url: str) -> bytes:
    """One PING, whichever of redis://, rediss:// and unix:// it is. Raises OSError or ValueError."""
    where = urlsplit(url)
    with ExitStack() as opened:
        if where.scheme == "unix":
            raw = opened.enter_context(socket.socket(socket.AF_UNIX))
            raw.settimeout(2)
            raw.connect(where.path)
        else:
            raw = opened.enter_context(
                socket.create_connection((where.hostname or "localhost", where.port or 6379), timeout=2)
            )
        if where.scheme == "rediss":
            context = ssl.create_default_context()
            raw = opened.enter_context(context.wrap_socket(raw, server_hostname=where.hostname))
        raw.sendall(b"PING\r\n")
        return raw.recv(64)


def disk(_: CliState) -> CheckResult:
    """The one that home is on: database, keys and evidence all stand there."""
    place = mutx_home()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free // MIB
    if free < FREE_MIB:
        return CheckResult(
            CheckHealth.BAD, f"{free} MiB free at {place}", "make room: a full disk stops every decision"
        )
    if free < ROOMY_MIB:
        return CheckResult(CheckHealth.NOTE, f"{free} MiB free at {place}", "make room before it is full")
    return CheckResult(CheckHealth.OK, f"{free // 1024} GiB free at {place}")


def queue(state: CliState) -> CheckResult:
    return _part(state, "queue", "the server delivers no events")


def monitor(state: CliState) -> CheckResult:
    return _part(state, "monitor", "the server runs no background jobs")


def _part(state: CliState, name: str, absent: str) -> CheckResult:
    """A part as the server itself sees it. Its reason says what to do after the semicolon."""
    try:
        found = state.client.health.get().components.get(name)
    except MutxError:
        return CheckResult(CheckHealth.NOTE, "unknown without a server")
    if found is None:
        return CheckResult(CheckHealth.NOTE, absent)
    if found.status != "healthy":
        detail, _, remedy = (found.reason or found.status).partition("; ")
        return CheckResult(CheckHealth.BAD, detail, remedy or "see the server's log")
    return CheckResult(CheckHealth.OK, found.reason or "as the server sees it")


CHECKS: Mapping[str, Check] = {
    "home": checks.home,
    "keys": checks.keys,
    "disk": disk,
    "database": checks.database,
    "migrations": checks.schema,
    "redis": redis,
    "server": checks.server,
    "queue": queue,
    "monitor": monitor,
    "clock": checks.clock,
    "login": checks.login,
    "policy": checks.policy,
    "unix socket": checks.unix_socket,
    "adapters": checks.adapters,
}
"""In the order in which they are shown."""
