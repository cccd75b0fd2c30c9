"""Hot requests, straight from a connection's bytes to the hot lane.

To parse a request, to build its ASGI scope and to carry its answer through ASGI costs more than a decision. A client
that stays sends the same head with every call. So a head that was parsed once, on whatever connection, and was that of a
plain hot request is known by its SHA-256, and a request that has this very head, byte for byte but for the digits of its
length, says the same: it goes to the hot lane without being parsed again. Only a request that came whole and alone, at
the beginning of a message, while the connection has nothing else to do, is looked at; the parser gets all others.
"""

import asyncio
from hashlib import sha256
from typing import Any, NamedTuple

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from mutx.governance.types import Caller
from mutx.server.doors.http import PREFIX
from mutx.server.http_protocol import WholeAnswers
from mutx.server.middleware.hot_lane import HotLane, PlainHead, Written

BEGINNING = b"POST " + PREFIX.encode()
LENGTH = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")
END = b"\r\n\r\n"
CLOSING = b"connection: close\r\n"


class Whole(NamedTuple):
    """A whole request: the name of its head, and where its body begins."""

    head: bytes
    body: int


def whole(data: bytes) -> Whole | None:
    """The request that `data` is, no more and no less; None if it is anything else.

    The name leaves out the digits of the length, at the beginning of a header line, and nothing else: two heads of one
    name differ in nothing but these digits.
    """
    end = data.find(END) if data.startswith(BEGINNING) else -1
    if end < 0:
        return None
    for name in LENGTH:
        at = data.find(name, 0, end)
        if at >= 0:
            break
    else:
        return None
    at += len(name)
    stop = data.find(b"\r\n", at)
    digits = data[at:stop]
    if not digits.isdigit() or len(digits) > 9 or len(data) - end - len(END) != int(digits):
        return None
    return Whole(sha256(b"%b\0%b" % (data[:at], data[stop:end])).digest(), end + len(END))


class _Quick:
    """Stands where uvicorn keeps the request under way: it queues what comes meanwhile, and says what became of us."""

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete", "response_started")

    def __init__(self, message_event: asyncio.Event) -> None:
        self.disconnected = self.response_complete = self.response_started = False
        self.keep_alive = True
        self.message_event = message_event


class HotHttp(WholeAnswers):
    """One connection of an application that may have a `hot_lane`."""

    _between = True
    """No message has begun that has not ended."""
    _learning: bytes | None = None
    """Name of the head of the message that the parser is being given."""
    _nobody: asyncio.Event | None = None

    def data_received(self, data: bytes) -> None:
        lane: HotLane | None = getattr(self.app, "hot_lane", None)
        if lane is not None and self._between:
            request = whole(data)
            if request is not None and self._idle():
                if self._taken(lane, request, data):
                    return
                self._learning = request.head
        super().data_received(data)
        self._learning = None

    def on_message_begin(self) -> None:
        self._between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._between = True
        super().on_message_complete()

    def _idle(self) -> bool:
        """Nothing is being answered, and the client reads what it is sent."""
        cycle: RequestResponseCycle | None = self.cycle
        return (cycle is None or cycle.response_complete) and not self.pipeline and not self.flow.write_paused

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        lane: HotLane | None = getattr(self.app, "hot_lane", None)
        scope: Scope = cycle.scope  # type: ignore[assignment] # a typed dictionary of the same shape
        if self._learning is not None and lane is not None and cycle.keep_alive and not self.parser.should_upgrade():
            lane.learn(self._learning, scope)
        super()._start_asgi_task(cycle, app)

    def _taken(self, lane: HotLane, request: Whole, data: bytes) -> bool:
        """Answer the request here, if its head is known and the connection's first message was parsed."""
        parsed: RequestResponseCycle | None = self.cycle
        plain = lane.known(request.head) if parsed is not None else None
        caller = None if plain is None else lane.admit(plain, len(data) - request.body)
        if plain is None or caller is None or self.transport.is_closing():
            return False
        self._unset_keepalive_if_required()
        if self._nobody is None:
            self._nobody = asyncio.Event()
        quick: Any = _Quick(self._nobody)
        self.cycle = quick
        task = self.loop.create_task(self._answer(lane, plain, caller, data[request.body :], quick))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return True

    async def _answer(self, lane: HotLane, plain: PlainHead, caller: Caller, body: bytes, quick: _Quick) -> None:
        answer: Written | None = None
        try:
            answer = await lane.answer(plain, caller, body)
        finally:
            if answer is None:
                self.transport.close()  # cancelled: there is nothing to say any more
        quick.response_started = quick.response_complete = True
        if not (quick.disconnected or self.transport.is_closing()):
            closes = answer.closes or not quick.keep_alive
            lines = [answer.head]
            for name, value in self.server_state.default_headers:
                lines += (name, b": ", value, b"\r\n")
            lines += (CLOSING if closes and not answer.closes else b"", b"\r\n", answer.body)
            self.transport.write(b"".join(lines))
            if closes:
                self.transport.close()
        self.on_response_complete()
