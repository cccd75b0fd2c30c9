"""Which control plane decides for a run."""

import os
import socket
from pathlib import Path
from typing import NamedTuple

from mutx.cli.run.options import RunOptions
from mutx.kit.errors import SetupError
from mutx_agent.settings import NotConfigured, load, mutx_home
from mutx_agent.transport.base import Transport
from mutx_agent.transport.connect import connect
from mutx_agent.transport.embedded import EmbeddedTransport


class RunDoor(NamedTuple):
    transport: Transport
    door: str
    """`uds`, `http` or `embedded`, as receipts name it."""
    where: str
    keys: Path | None
    """The folder on this machine that holds the signing key; None where it is on another."""


def find_upstream(options: RunOptions, url: str | None) -> RunDoor:
    """The one that was named, else the one that runs on this machine, else one inside the launcher.

    Raises SetupError for a named one that is gone: another one would decide by other policies.
    """
    home = options.home or mutx_home()
    if options.embedded:
        return _embedded(home)
    try:
        settings = load(url=url)
    except NotConfigured:
        return _embedded(home)
    if settings.socket:
        if not _listens(settings.socket):
            if not _is_own(settings.socket, home):
                raise SetupError(
                    f"nobody answers at {settings.socket}, which was named as the control plane: start it, or decide in "
                    "this launcher, by the policies of its own home, with --embedded"
                )
            # `mutx up` ended without a farewell: its address is still on file and nobody is there.
            return _embedded(home)
        beside = Path(settings.socket).resolve().parent.parent
        return RunDoor(connect(settings), "uds", settings.socket, _local_keys(beside) or _local_keys(home))
    return RunDoor(connect(settings), "http", settings.endpoint, _local_keys(home))


def _embedded(home: Path) -> RunDoor:
    return RunDoor(EmbeddedTransport(str(home)), "embedded", f"in this launcher, home {home}", home)


def _is_own(path: str, home: Path) -> bool:
    """Whether this is where `mutx up` of this very home listens: whoever decides instead has its policies and its ledger."""
    return not os.environ.get("MUTX_SOCKET") and Path(path).resolve().is_relative_to(home.resolve())


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def _local_keys(home: Path) -> Path | None:
    return home if (home / "keys").is_dir() else None
