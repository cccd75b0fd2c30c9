"""The socket of a run: programs below it ask here, without a key, and the launcher passes the question on.

It speaks the protocol of the Unix socket door. It carries an agent's verbs and no others, so nothing below a run can
answer a request, whatever the launcher's own key may do.
"""

import asyncio
import json
import os
import socket
import struct
from contextlib import suppress
from typing import Any

from mutx.cli.run.journal import Journal
from mutx.kit.errors import InputError
from mutx_agent.errors import DoorRefused, DoorUnreachable
from mutx_agent.transport.base import Json, Transport

VERBS = frozenset({"decide", "redeem", "conclude", "status", "wait"})
LINE_LIMIT = 1_000_000
CONNECTIONS = 256
"""Each waits for one answer at a time."""


class RunRelay:
    """Serves one listening socket. `transport`: where decisions are had."""

    def __init__(self, transport: Transport, journal: Journal) -> None:
        self._transport = transport
        self._journal = journal
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, listener: socket.socket) -> asyncio.Server:
        return await asyncio.start_unix_server(self._connection, sock=listener, limit=LINE_LIMIT)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= CONNECTIONS or peer_uid(writer.get_extra_info("socket")) != os.getuid():
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line), ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError, InputError, DoorUnreachable):
            # Too long a line, a client that left, or a question that may or may not have arrived upstream: the client
            # learns what is true, that no answer came.
            writer.transport.abort()
        finally:
            self._open.discard(writer)
            with suppress(OSError):
                writer.close()

    async def _answer(self, line: bytes) -> Json:
        """Raises ValueError, InputError for what is no request, DoorUnreachable for a question whose answer was lost."""
        request = parse(line)
        number, verb, body = request.get("id"), str(request.get("verb")), request["body"]
        if verb not in VERBS:
            if self._journal.note(verb, body):
                return {"id": number, "ok": {}}
            return _error(number, "input_error", f"a run carries {', '.join(sorted(VERBS))} and no other verb")
        try:
            answer = await self._transport.acall(verb, self._stamped(verb, body))
        except DoorRefused as error:
            return _error(number, error.code, str(error), error.details)
        except DoorUnreachable as error:
            if error.sent:
                raise
            return _error(number, "unavailable", str(error))
        if verb == "decide":
            self._journal.decided(str(answer.get("effect")))
        return {"id": number, "ok": answer}

    def _stamped(self, verb: str, body: Json) -> Json:
        """A call of a run in which something is loaded that nobody proved says so in its receipt."""
        unproved = sorted({*self._journal.unproved, *self._journal.blind})
        if verb != "decide" or not unproved:
            return body
        return {**body, "runtime": f"{body.get('runtime', 'mutx')}; unproved: {', '.join(unproved)}"[:256]}


def parse(line: bytes) -> Json:
    """Raises InputError or ValueError for what is no request."""
    request = json.loads(line)
    if not isinstance(request, dict) or not isinstance(request.get("body"), dict):
        raise InputError('a request is {"id": ..., "verb": ..., "body": {...}} on one line')
    return request


def _error(number: Any, code: str, message: str, details: Json | None = None) -> Json:
    return {"id": number, "error": {"code": code, "message": message, "details": details or {}}}


def peer_uid(connection: socket.socket) -> int:
    """The user id at the other end, by the kernel's word (unix(7), SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)
