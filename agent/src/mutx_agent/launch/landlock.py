"""Landlock (kernel documentation, userspace-api/landlock): a process gives up rights over files and ports for good.

A ruleset names the rights it handles; everything it handles is refused unless a rule grants it. Rules are hierarchies, so
a folder that must stay hidden inside a granted one is left out by granting its neighbours.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mutx_agent.launch.kernel import PR_SET_NO_NEW_PRIVS, Libc

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH, NET_PORT = 1, 2

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BASIC = (1 << 13) - 1
"""Every right of the first version."""
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""Rights that make sense for something that is no directory."""
READING = EXECUTE | READ_FILE | READ_DIR
MAKE_DEVICES = 1 << 6 | 1 << 11
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
ABSTRACT_SOCKETS, SIGNALS = 1 << 0, 1 << 1

ENTRIES = 10_000
"""Of one directory that is granted piecemeal; one with more is not granted at all."""


class FileRules(NamedTuple):
    """Absolute paths. What is in none of them can be neither read nor run."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Granted by none of the others, also where it lies inside one."""


class PortRules(NamedTuple):
    """TCP ports, of whatever address: this is all that Landlock looks at."""

    connect: tuple[int, ...] = ()
    bind: tuple[int, ...] = ()


def landlock_version(libc: Libc) -> int:
    """The kernel's version of the interface. Raises OSError where there is none."""
    return libc.syscall(CREATE_RULESET, None, 0, VERSION_FLAG)


def restrict(libc: Libc, files: FileRules, ports: PortRules | None) -> int:
    """Give up everything else, for this process and all it will start. Returns the kernel's version.

    `ports` None leaves the network alone. Raises OSError; then nothing has been given up.
    """
    version = landlock_version(libc)
    handled = (
        BASIC | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0) | (IOCTL_DEV if version >= 5 else 0)
    )
    network = BIND_TCP | CONNECT_TCP if ports is not None and version >= 4 else 0
    scoped = ABSTRACT_SOCKETS | SIGNALS if version >= 6 else 0
    attributes = struct.pack("QQQ", handled, network, scoped)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = libc.syscall(CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0)
    try:
        for path, rights in _rights(files, handled):
            _allow_path(libc, ruleset, path, rights)
        if ports is not None and network:
            for right, numbers in ((CONNECT_TCP, ports.connect), (BIND_TCP, ports.bind)):
                for port in numbers:
                    rule = ctypes.c_char_p(struct.pack("QQ", right, port))
                    libc.syscall(ADD_RULE, ruleset, NET_PORT, rule, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1)
        libc.syscall(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _rights(files: FileRules, handled: int) -> Iterator[tuple[str, int]]:
    writing = handled & ~IOCTL_DEV & ~MAKE_DEVICES
    devices = READ_FILE | WRITE_FILE | READ_DIR | (handled & IOCTL_DEV)
    for paths, rights in ((files.read, READING), (files.write, writing), (files.devices, devices)):
        for path in paths:
            for part in without(path, files.hidden):
                yield part, rights


def without(path: str, hidden: Iterable[str]) -> Iterator[str]:
    """`path` itself, or, where something hidden lies in it, all that lies beside that."""
    path = os.path.realpath(path)
    inside = [real for real in map(os.path.realpath, hidden) if _within(real, path)]
    if path in inside or any(_within(path, real) for real in map(os.path.realpath, hidden)):
        return
    if not inside:
        yield path
        return
    try:
        entries = sorted(os.listdir(path))
    except OSError:
        return
    if len(entries) > ENTRIES:
        return
    for entry in entries:
        yield from without(os.path.join(path, entry), inside)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _allow_path(libc: Libc, ruleset: int, path: str, rights: int) -> None:
    """What is not there cannot be granted, and need not be."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_FILES
        rule = ctypes.c_char_p(struct.pack("=Qi", rights, place))
        libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
