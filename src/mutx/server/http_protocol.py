"""uvicorn's HTTP/1.1 protocol, able to send a whole answer at once.

An ASGI server writes an answer's head and its body apart: two system calls and two segments. On a hot route that is a
tenth of the request. So each request's scope carries `reply`, which writes both together; whoever does not use it, or
finds that it does not go this time, sends as ASGI has it.
"""

from collections.abc import Callable

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

Reply = Callable[[bytes, bytes], bool]
"""`reply(head, body)`: status line and header lines, each with its line end, and the body. False: nothing was sent."""

KEY = "mutx.reply"


class WholeAnswers(HttpToolsProtocol):
    """Parsing, limits, pipelining and timeouts are uvicorn's."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        scope: Scope = cycle.scope  # type: ignore[assignment] # a typed dictionary of the same shape
        scope[KEY] = _Answer(cycle).send
        super()._start_asgi_task(cycle, app)


class _Answer:
    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def send(self, head: bytes, body: bytes) -> bool:
        """Does what the cycle's own `send` does for a first and last message with a Content-Length."""
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or not cycle.keep_alive or cycle.flow.write_paused:
            return False
        lines = [head]
        for name, value in cycle.default_headers:
            lines += (name, b": ", value, b"\r\n")
        lines += (b"\r\n", body)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"".join(lines))
        cycle.message_event.set()
        cycle.on_response()
        return True
