"""The Unix socket door: newline-delimited JSON, the same verbs, callers known by the kernel's word.

    -> {"id": 1, "verb": "decide", "body": {...}, "token": "mutx_agent_..."}
    <- {"id": 1, "ok": {...}}   or   {"id": 1, "error": {"code": ..., "message": ..., "details": {...}}}

Without a token a caller is who SO_PEERCRED says: a process of the server's own user acts as an agent of the local
operator. It may decide, conclude, redeem and wait; it can never approve. The socket lies in a directory that only its
owner can enter. Requests of one connection run concurrently and are answered as they finish.
"""

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from mutx.governance.types import Caller, Door
from mutx.kit.errors import InputError, MalformedBody, MutxError, SetupError, TooLarge, Unauthenticated
from mutx.server.doors.failing import FailClosed
from mutx.server.doors.verbs import Verbs
from mutx.web.strict_json import parse

FAIL_CLOSED = FailClosed("uds")

MAX_LINE = 1_000_000
MAX_IN_FLIGHT = 64
MAX_CONNECTIONS = 1024
MAX_PATH = 107
"""Bytes of a socket's path, unix(7)."""

Authenticate = Callable[[str], Awaitable[Caller]]
"""Token -> caller. Raises Unauthenticated."""


class UdsDoor:
    """Listens on one socket. `local` is who processes of the server's own user act for, or None to demand tokens."""

    def __init__(self, path: Path, verbs: Verbs, authenticate: Authenticate, local: Caller | None) -> None:
        self._path = path
        self._verbs = verbs
        self._authenticate = authenticate
        self._local = local
        self._server: asyncio.Server | None = None
        self._open: set[Connection] = set()

    async def start(self) -> None:
        """Raises SetupError where the path is too long, the directory is not the owner's alone or the socket is in use."""
        if len(os.fsencode(self._path)) > MAX_PATH:
            raise SetupError(f"{self._path} is too long for a Unix socket; set MUTX_HOME to a shorter path")
        _own_directory(self._path.parent)
        _clear_stale(self._path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._connection, str(self._path))
        self._path.chmod(0o600)

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._open):
            connection.close()
        await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    def _connection(self) -> "Connection":
        return Connection(self)

    def admit(self, connection: "Connection") -> bool:
        if len(self._open) >= MAX_CONNECTIONS:
            return False
        self._open.add(connection)
        return True

    def forget(self, connection: "Connection") -> None:
        self._open.discard(connection)

    async def caller(self, token: str | None, peer_uid: int) -> Caller:
        """Who speaks. Raises Unauthenticated."""
        if token is not None:
            return replace(await self._authenticate(token), door=Door.UDS)
        if self._local is None or peer_uid != os.getuid():
            raise Unauthenticated("send a token with each request; this socket does not know you by your process")
        return self._local

    async def run(self, verb: str, body: Any, caller: Caller) -> dict[str, Any]:
        return await self._verbs.call(verb, body, caller)


class Connection(asyncio.Protocol):
    """One client: cuts lines, runs at most `MAX_IN_FLIGHT` requests at a time, writes answers.

    It stops reading while that many run or while the client does not take its answers, so a client can make the server
    hold no more than one buffer of lines.
    """

    def __init__(self, door: UdsDoor) -> None:
        self._door = door
        self._buffer = bytearray()
        self._lines: deque[bytes] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None
        self._stuck = False
        self._full = False
        """No room for more: reading is paused."""
        self._peer_uid = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport has the methods of asyncio.Transport and is no subclass of it.
        self._transport = stream = cast("asyncio.Transport", transport)
        self._peer_uid = _peer_uid(stream.get_extra_info("socket"))
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
            self._write({"id": None, "error": _error(TooLarge(f"a request may have at most {MAX_LINE} bytes"))})
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
        number: Any = None
        try:
            with FAIL_CLOSED:
                request = _parsed(line)
                number = _number(request)
                verb, token = _addressed(request)
                caller = await self._door.caller(token, self._peer_uid)
                answer = {"id": number, "ok": await self._door.run(verb, request.get("body", {}), caller)}
        except MutxError as error:
            answer = {"id": number, "error": _error(error)}
        self._write(answer)

    def _write(self, answer: dict[str, Any]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(msgspec.json.encode(answer) + b"\n")


def _parsed(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise TooLarge(f"a request may have at most {MAX_LINE} bytes")
    request = parse(line)
    if not isinstance(request, dict):
        raise MalformedBody('a request is {"id": ..., "verb": ..., "body": {...}} on one line')
    return request


def _number(request: dict[str, Any]) -> int | str:
    number = request.get("id")
    if not isinstance(number, int | str):
        raise InputError("`id` must be a number or a text")
    return number


def _addressed(request: dict[str, Any]) -> tuple[str, str | None]:
    verb, token = request.get("verb"), request.get("token")
    if not isinstance(verb, str):
        raise MalformedBody("`verb` must name one of the verbs")
    if not isinstance(token, str | None):
        raise InputError("`token` must be a text")
    return verb, token


def _error(error: MutxError) -> dict[str, Any]:
    return {"code": error.code, "message": str(error), "details": error.details}


def _peer_uid(connection: socket.socket) -> int:
    """The user id of the process at the other end, from the kernel (unix(7), SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)


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
