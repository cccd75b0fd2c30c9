"""What the socket doors share: lines cut from a stream, bounded in every way, and who the kernel says is at the other end."""

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, cast

from mutx.kit.errors import SetupError

MAX_LINE = 1_000_000
MAX_IN_FLIGHT = 64
MAX_CONNECTIONS = 1024
MAX_PATH = 107
"""Bytes of a socket's path, unix(7)."""


class Peer(NamedTuple):
    """The process at the other end as it connected (unix(7), SO_PEERCRED)."""

    pid: int
    uid: int


Serve = Callable[[bytes, Peer], Awaitable[bytes]]
"""A line to its answer, without the line's end. Never raises."""


class LineSocket:
    """Listens on one socket. Requests of one connection run concurrently and are answered as they finish."""

    def __init__(self, path: Path, serve: Serve, too_long: bytes) -> None:
        """`too_long`: what a line beyond `MAX_LINE` is answered before the connection ends."""
        self._path = path
        self.serve = serve
        self.too_long = too_long
        self._server: asyncio.Server | None = None
        self._open: set[LineConnection] = set()

    async def start(self) -> None:
        """Raises SetupError where the path is too long, the directory is not the owner's alone or the socket is in use."""
        if len(os.fsencode(self._path)) > MAX_PATH:
            raise SetupError(f"{self._path} is too long for a Unix socket; set MUTX_HOME to a shorter path")
        _own_directory(self._path.parent)
        _clear_stale(self._path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: LineConnection(self), str(self._path))
        self._path.chmod(0o600)

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._open):
            connection.close()
        await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    def admit(self, connection: "LineConnection") -> bool:
        if len(self._open) >= MAX_CONNECTIONS:
            return False
        self._open.add(connection)
        return True

    def forget(self, connection: "LineConnection") -> None:
        self._open.discard(connection)


class LineConnection(asyncio.Protocol):
    """One client: cuts lines, runs at most `MAX_IN_FLIGHT` requests at a time, writes answers.

    It stops reading while that many run or while the client does not take its answers, so a client can make the server
    hold no more than one buffer of lines.
    """

    def __init__(self, door: LineSocket) -> None:
        self._door = door
        self._buffer = bytearray()
        self._lines: deque[bytes] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None
        self._stuck = False
        self._full = False
        """No room for more: reading is paused."""
        self._peer = Peer(-1, -1)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport has the methods of asyncio.Transport and is no subclass of it.
        self._transport = stream = cast("asyncio.Transport", transport)
        self._peer = _peer(stream.get_extra_info("socket"))
        if not self._door.admit(self):
            stream.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.forget(self)
        # Requests under way finish and are recorded; only their answers have nowhere to go.
        self._transport = None
        self._lines.clear()

    def pause_writing(self) -> None:
        self._stuck = True
        self._advance()

    def resume_writing(self) -> None:
        self._stuck = False
        self._advance()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if b"\n" in data:
            *lines, rest = bytes(self._buffer).split(b"\n")
            self._buffer = bytearray(rest)
            self._lines.extend(lines)
            self._advance()
        if len(self._buffer) > MAX_LINE:
            self._write(self._door.too_long)
            self.close()

    def _advance(self) -> None:
        """Start what may start, and read on only if there is room for more."""
        loop = asyncio.get_running_loop()
        while self._lines and len(self._tasks) < MAX_IN_FLIGHT and not self._stuck:
            task = loop.create_task(self._serve(self._lines.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._done)
        if self._transport is None or self._transport.is_closing():
            return
        full = self._stuck or bool(self._lines) or len(self._tasks) >= MAX_IN_FLIGHT
        if full and not self._full:
            self._transport.pause_reading()
        elif self._full and not full:
            self._transport.resume_reading()
        self._full = full

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._full:
            self._advance()

    async def _serve(self, line: bytes) -> None:
        self._write(await self._door.serve(line, self._peer))

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer + b"\n")


def _peer(connection: socket.socket) -> Peer:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", credentials)
    return Peer(int(pid), int(uid))


def _own_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise SetupError(f"{directory} must belong to you alone: run `chmod 700 {directory}`")


def _clear_stale(path: Path) -> None:
    """Remove a socket that nobody listens on any more. Raises SetupError if somebody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise SetupError(f"another control plane listens on {path}; stop it, or set MUTX_HOME to another folder")
