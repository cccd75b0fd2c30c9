"""The HTTP door's fast lane: the hot verbs, answered before FastAPI's router sees them.

Routing past a hundred routes and Pydantic models would cost more than the decision itself, so these few paths are looked
up in one table and speak plain JSON objects. Authentication, limits, metrics and request ids are the middleware's, as for
every route; `contract/governance.py` declares the same paths for OpenAPI, SDK and CLI.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.governance.types import Caller
from mutx.kit.errors import MutxError, Unauthenticated
from mutx.server.doors.verbs import Json, Verbs
from mutx.web.problems import INTERNAL, respond
from mutx.web.strict_json import parse

log = structlog.stdlib.get_logger("mutx.door.http")

PREFIX = "/v1/governance/"

Run = Callable[[str, Any, Caller], Awaitable[Json]]


def hot_routes(verbs: Verbs) -> Mapping[str, ASGIApp]:
    """Path -> what serves it, for the fast lane. All are POST."""
    return {
        PREFIX + verb + suffix: HotRoute(verb, verbs.batch if suffix else verbs.call)
        for verb in ("decide", "conclude", "resolve", "redeem")
        for suffix in ("", "/batch")
    }


class HotRoute:
    """ASGI: one verb at one path."""

    def __init__(self, verb: str, run: Run) -> None:
        self._verb = verb
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, await _body(receive))
        except MutxError as error:
            await respond(scope, error)(scope, receive, send)
        except Exception:
            # The door's one broad except: whatever broke, the agent gets an error and never a permission.
            log.exception("the http door failed", path=scope["path"])
            await respond(scope, MutxError(INTERNAL))(scope, receive, send)
        else:
            await _send(send, msgspec.json.encode(answer))

    async def _answer(self, scope: Scope, body: bytes) -> Json:
        if refused := scope.get("mutx.refused"):
            raise refused
        caller = scope.get("mutx.caller")
        if caller is None:
            raise Unauthenticated("sign in, or send an API key as `Authorization: Bearer ...` or `X-API-Key`")
        return await self._run(self._verb, parse(body), caller)


async def _body(receive: Receive) -> bytes:
    """The whole body; the size limit is the middleware's."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def _send(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
