"""The Unix socket: one JSON object per line, `{"id", "verb", "body"}` there and `{"id", "ok" | "error"}` back."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

from mutx_agent.errors import DoorUnreachable
from mutx_agent.transport.base import ANSWER_LIMIT, WAIT_SLACK, Json, Transport, unwrap
from mutx_agent.transport.pool import Pool


class Line:
    """One connection; carries one request at a time."""

    def __init__(self, path: str, timeout: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise
        self._reader: BufferedReader = self._socket.makefile("rb")
        self._count = 0

    def ask(self, request: Json, timeout: float) -> Json:
        self._count += 1
        self._socket.settimeout(timeout)
        line = json.dumps({"id": self._count, **request}, ensure_ascii=False, separators=(",", ":"))
        self._socket.sendall(line.encode() + b"\n")
        answer = self._reader.readline(ANSWER_LIMIT)
        if not answer.endswith(b"\n"):
            raise ConnectionResetError("the control plane closed the connection")
        reply = json.loads(answer)
        if not isinstance(reply, dict) or reply.get("id") != self._count:
            raise ConnectionAbortedError("the answer belongs to another question")
        return reply

    def close(self) -> None:
        self._reader.close()
        self._socket.close()


class SocketTransport(Transport):
    """The control plane on this machine; it knows the caller by the operating system's word (SO_PEERCRED)."""

    def __init__(self, path: str, *, token: str | None = None, timeout: float = 30.0) -> None:
        self._path = path
        self._token = token
        self._timeout = timeout
        self._pool: Pool[Line] = Pool()

    def call(self, verb: str, body: Json) -> Json:
        request: Json = {"verb": verb, "body": body}
        if self._token:
            request["token"] = self._token
        seconds = body["timeout"] + WAIT_SLACK if verb == "wait" else self._timeout
        with self._line(fresh=verb == "redeem") as line:
            reply = line.ask(request, seconds)
        return unwrap(reply)

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _line(self, *, fresh: bool) -> Iterator[Line]:
        """A connection of one's own. One that failed is closed; a new one is used for a permit's only request."""
        line: Line | None = None
        keep = False
        try:
            line = (None if fresh else self._pool.take()) or Line(self._path, self._timeout)
            yield line
            keep = True
        except (OSError, ValueError) as error:
            raise DoorUnreachable(f"{self._path}: {type(error).__name__}: {error}", sent=line is not None) from error
        finally:
            if line is not None and keep:
                self._pool.give(line)
            elif line is not None:
                line.close()
