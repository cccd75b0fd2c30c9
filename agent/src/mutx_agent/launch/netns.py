"""A network of the program's own, in which there is nothing but the egress gateway.

The listening socket is made inside, and the launcher accepts on it from outside: a socket belongs to the network it was
made in, whoever holds it.
"""

import fcntl
import os
import socket
import struct

from mutx_agent.launch.kernel import Libc

NEW_USER, NEW_NET = 0x10000000, 0x40000000
SET_INTERFACE_FLAGS = 0x8914
UP_AND_RUNNING = 0x41


def enter_network(libc: Libc) -> None:
    """Leave the machine's network for an empty one with a loopback. Raises OSError where that is not permitted."""
    uid, gid = os.getuid(), os.getgid()
    try:
        libc.unshare(NEW_NET)
    except PermissionError:
        libc.unshare(NEW_USER | NEW_NET)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", UP_AND_RUNNING)
        fcntl.ioctl(any_socket, SET_INTERFACE_FLAGS, request)


def open_listener() -> socket.socket:
    """A listening socket on the loopback of the present network."""
    return socket.create_server(("127.0.0.1", 0), backlog=128)
