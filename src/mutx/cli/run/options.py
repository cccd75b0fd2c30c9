"""What a run was asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """One `mutx run`. Empty and None mean what the command's help says."""

    command: tuple[str, ...]
    agent: str | None = None
    session: str | None = None
    request: str | None = None
    embedded: bool = False
    home: Path | None = None
    passed: tuple[str, ...] = ()
    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    networks: tuple[str, ...] = ()
    local_ports: tuple[int, ...] = ()
    sandbox: bool = True
    egress: bool = True
    inspect: bool = False
    allow_unproved: bool = False
    require: tuple[str, ...] = ()
    report: Path | None = None
    quiet: bool = False
