"""What the kernel says about processes (proc(5)). A process is its number and when it started: numbers come again."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
STARTED = 19
"""Field 22 of stat(5), counted from the field behind the name."""
MAX_ANCESTORS = 64
GONE = frozenset("ZXx")


class Process(NamedTuple):
    pid: int
    started: int
    """Clock ticks after boot."""

    @property
    def alive(self) -> bool:
        """Running still: neither ended, nor a number that another process has by now."""
        stat = _stat(self.pid)
        return stat is not None and int(stat[STARTED]) == self.started and stat[0] not in GONE


def process(pid: int) -> Process | None:
    """Whoever has this number now; None if nobody has."""
    stat = _stat(pid)
    return None if stat is None else Process(pid, int(stat[STARTED]))


def descendants(root: int) -> tuple[int, ...]:
    """Everything below a process, also what left its group or session. A subreaper's orphans stay below it."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return tuple(found)


def parents() -> Mapping[int, int]:
    """Every process that has not ended, and its parent."""
    found = {}
    for pid in _pids():
        stat = _stat(pid)
        if stat is not None and stat[0] not in GONE:
            found[pid] = int(stat[1])
    return found


def ancestors(pid: int) -> Iterator[int]:
    """The process itself, its parent, and so on."""
    for _ in range(MAX_ANCESTORS):
        if pid <= 1:
            return
        yield pid
        stat = _stat(pid)
        pid = 0 if stat is None else int(stat[1])


def marked(name: str, value: str) -> tuple[int, ...]:
    """Processes of this user that were started with this in their environment, wherever they hang by now."""
    wanted = f"{name}={value}".encode()
    return tuple(pid for pid in _pids() if wanted in _environment(pid))


def _pids() -> Iterator[int]:
    return (int(entry) for entry in os.listdir(PROC) if entry.isdigit())


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # it ended, or is somebody else's
        return []


def _stat(pid: int) -> list[str] | None:
    """The fields behind the name, which may hold spaces and parentheses itself."""
    try:
        return (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
