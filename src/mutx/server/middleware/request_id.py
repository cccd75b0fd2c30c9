"""A name for every request: taken from the client where it is a sane one, and sent back."""

import re

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.kit.ids import new_id
from mutx.server.middleware.headers import with_headers
from mutx.web.credentials import header

SANE = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}", re.ASCII)


class RequestId:
    """Puts `mutx.request_id` into the scope, into the log's context and into the answer's X-Request-ID.

    Stands outside everything else, so that a refusal at the edge has its name as well.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = header(scope, b"x-request-id")
        name = given if given is not None and SANE.fullmatch(given) else new_id().encode()
        scope["mutx.request_id"] = name.decode()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=scope["mutx.request_id"])
        await self._app(scope, receive, with_headers(send, ((b"x-request-id", name),)))
