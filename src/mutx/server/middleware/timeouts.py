"""How long a request may take to be answered."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mutx.kit.errors import TimedOut
from mutx.web.problems import respond


class RequestTimeout:
    """Gives a request up, with 503, that has no answer after `seconds`. What was not committed by then is undone.

    Once an answer has begun it may last: streams do.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        clock = asyncio.timeout(self._seconds)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                clock.reschedule(None)
            await send(message)

        try:
            async with clock:
                await self._app(scope, receive, sending)
        except TimeoutError:
            if not clock.expired():
                raise
            error = TimedOut(f"no answer within {self._seconds:g} s; see what became of it before you try again")
            await respond(scope, error)(scope, receive, send)
