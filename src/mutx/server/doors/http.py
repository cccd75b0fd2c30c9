"""The HTTP door's fast lane: the hot verbs, answered before FastAPI's router sees them.

Routing past a hundred routes and Pydantic models would cost more than the decision itself, so these few paths are looked
up in one table and speak plain JSON objects. Authentication, limits, metrics and request ids are the middleware's, as for
every route; `contract/governance.py` declares the same paths for OpenAPI, SDK and CLI.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mutx.governance.types import Caller
from mutx.kit.errors import MutxError, Unauthenticated
from mutx.server.doors.failing import FailClosed
from mutx.server.doors.verbs import Json, Verbs
from mutx.web.problems import respond
from mutx.web.strict_json import parse

FAIL_CLOSED = FailClosed("http")

PREFIX = "/v1/governance/"

Run = Callable[[str, Any, Caller], Awaitable[Json]]


def hot_routes(verbs: Verbs) -> "Mapping[str, HotRoute]":
    """Path -> what serves it, for the fast lane. All are POST."""
    return {
        PREFIX + verb + suffix: HotRoute(verb, verbs.batch if suffix else verbs.call)
        for verb in ("decide", "conclude", "resolve", "redeem")
        for suffix in ("", "/batch")
    }


class HotRoute:
    """One verb at one path. As an ASGI application it takes its caller from the middleware around it."""

    def __init__(self, verb: str, run: Run) -> None:
        self._verb = verb
        self._run = run

    async def answer(self, caller: Caller, body: bytes) -> bytes:
        """The answer's JSON. Raises MutxError and nothing else."""
        with FAIL_CLOSED:
            return msgspec.json.encode(await self._run(self._verb, parse(body), caller))

    async def read(self, receive: Receive) -> bytes:
        """The whole body; the size limit is the middleware's. Raises MutxError and nothing else."""
        with FAIL_CLOSED:
            return await _body(receive)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.answer(_caller(scope), await self.read(receive))
        except MutxError as error:
            await respond(scope, error)(scope, receive, send)
        else:
            await Response(body, media_type="application/json")(scope, receive, send)


def _caller(scope: Scope) -> Caller:
    """Whom the middleware found. Raises Unauthenticated."""
    if refused := scope.get("mutx.refused"):
        raise refused
    caller: Caller | None = scope.get("mutx.caller")
    if caller is None:
        raise Unauthenticated("sign in, or send an API key as `Authorization: Bearer ...` or `X-API-Key`")
    return caller


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)
