"""Namespaces: a network of the program's own, in which there is nothing but the egress gateway, and mounts of its own.

The listening socket is made inside, and the launcher accepts on it from outside: a socket belongs to the network it was
made in, whoever holds it.
"""

import fcntl
import os
import socket
import struct
from collections.abc import Iterable

from mutx_agent.launch.kernel import Libc

NEW_MOUNTS, NEW_USER, NEW_NET = 0x20000, 0x10000000, 0x40000000
SET_INTERFACE_FLAGS = 0x8914
UP_AND_RUNNING = 0x41
PRIVATE, RECURSIVE = 1 << 18, 1 << 14
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8


def enter(libc: Libc, *, network: bool, mounts: bool) -> None:
    """Leave the machine's network and mounts for ones of one's own: an empty network with a loopback, and a copy of the
    mounts. Raises OSError where that is not permitted; then nothing has changed.
    """
    wanted = (NEW_NET if network else 0) | (NEW_MOUNTS if mounts else 0)
    uid, gid = os.getuid(), os.getgid()
    try:
        libc.unshare(wanted)
    except PermissionError:
        libc.unshare(NEW_USER | wanted)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    if network:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sh14x", b"lo", UP_AND_RUNNING)
            fcntl.ioctl(any_socket, SET_INTERFACE_FLAGS, request)


def cover(libc: Libc, folders: Iterable[str]) -> None:
    """Put something empty over folders, in mounts of one's own: what lies in them, sockets included, is out of reach."""
    libc.mount("", "/", PRIVATE | RECURSIVE, "")
    for folder in folders:
        libc.mount("tmpfs", folder, READ_ONLY | NO_SUID | NO_DEVICES | NO_EXEC, "size=0,mode=0755")


def open_listener() -> socket.socket:
    """A listening socket on the loopback of the present network."""
    return socket.create_server(("127.0.0.1", 0), backlog=128)
