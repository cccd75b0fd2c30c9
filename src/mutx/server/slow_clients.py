"""Connections that keep a server waiting: headers or bodies that trickle in (slowloris), answers that nobody reads.

uvicorn limits the time between requests, not within one. Timers for each request would cost more than a decision, so a
request only notes where its message stands, and a sweep once a second closes what stood still for too long.
"""

import json
from collections.abc import Iterable
from typing import Any, cast

from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from mutx.kit.ids import new_id
from mutx.server.hot_http import HotHttp
from mutx.web.problems import problem

MAX_HEADER_BYTES = 65_536
"""Of the request line and headers together, where they come in pieces."""


class WatchedHttp(HotHttp):
    """One connection, and where its present message stands."""

    waiting_for: str | None = "headers"
    """`headers`, `body`, or None while the client has nothing to send."""
    late_sweeps = 0
    stalled_sweeps = 0
    resting_sweeps = 0
    resting = False
    """Everything was answered; nothing came since."""
    _header_bytes = 0

    @property
    def silent(self) -> bool:
        """Whether nothing of a request came yet: some browsers connect ahead of need."""
        return self._header_bytes == 0

    def data_received(self, data: bytes) -> None:
        self.resting = False
        super().data_received(data)
        if self.waiting_for == "headers":
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
                self.refuse(431, "headers_too_large", f"the headers are larger than {MAX_HEADER_BYTES} bytes")

    def on_message_begin(self) -> None:
        self.waiting_for = "headers"
        self.late_sweeps = self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.waiting_for = "body"
        self.late_sweeps = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.waiting_for = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """uvicorn's, but that the sweep ends a connection nobody uses: a timer for each answer would cost more."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self.resting, self.resting_sweeps = True, 0

    def send_400_response(self, msg: str) -> None:
        self.refuse(400, "malformed_request", "this is no HTTP request that can be read")

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answer and close. Where an answer is under way already there is nothing to say: only close."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.abort()
            return
        request_id = new_id()
        body = json.dumps(problem(code, message, {}, request_id)).encode()
        head = (
            STATUS_LINE[status]
            + b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %s\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head % (len(body), request_id.encode()) + body)
        self.transport.close()


class Patience(Struct, frozen=True):
    """Whole sweeps that a connection may stand still: before its headers end, its body ends, its answer is read, and
    between its requests."""

    headers: int
    body: int
    reader: int
    resting: int = 15

    def sweep(self, connections: Iterable[Any]) -> None:
        """Look at every connection once; close those out of patience. Call it once a second."""
        for connection in tuple(connections):
            watched = cast("WatchedHttp", connection)
            if not watched.transport.is_closing():
                self._reader(watched)
                self._sender(watched)
                self._rest(watched)

    def _rest(self, connection: WatchedHttp) -> None:
        if connection.resting:
            connection.resting_sweeps += 1
            if connection.resting_sweeps > self.resting:
                connection.transport.close()

    def _reader(self, connection: WatchedHttp) -> None:
        connection.stalled_sweeps = connection.stalled_sweeps + 1 if connection.flow.write_paused else 0
        if connection.stalled_sweeps > self.reader:
            connection.transport.abort()

    def _sender(self, connection: WatchedHttp) -> None:
        """Not while it is us who do not read: a body larger than the buffer waits for its handler."""
        if connection.waiting_for is None or connection.flow.read_paused:
            return
        connection.late_sweeps += 1
        if connection.waiting_for == "headers":
            if connection.late_sweeps > self.headers and connection.silent:
                connection.transport.close()
            elif connection.late_sweeps > self.headers:
                connection.refuse(408, "request_too_slow", "the headers did not arrive in time")
        elif connection.late_sweeps > self.body:
            connection.refuse(408, "request_too_slow", "the body did not arrive in time")
