"""Request bodies: bounded in size and time, and JSON only where it is unambiguous."""

import asyncio
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mutx.kit.errors import MalformedBody, MutxError, RequestTooSlow, TooLarge
from mutx.web import strict_json
from mutx.web.credentials import header
from mutx.web.problems import respond


class BodyGuard:
    """Reads a body up to `limit` bytes within `seconds`, checks that it is strict JSON if it says it is JSON, and hands it on.

    A request whose Content-Length is over the limit is refused before a byte of it is read. Paths in `unread` (the hot
    doors) get a `receive` that raises TooLarge beyond the limit and RequestTooSlow after that time, and parse for themselves.
    """

    def __init__(self, app: ASGIApp, *, limit: int, seconds: float, unread: Collection[str] = ()) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds
        self._unread = frozenset(unread)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._refuse_declared(scope)
            receive = self._bounded(receive)
            if scope["path"] not in self._unread and scope["method"] not in {"GET", "HEAD"}:
                receive = await self._checked(scope, receive)
        except MutxError as error:
            await respond(scope, error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refuse_declared(self, scope: Scope) -> None:
        declared = header(scope, b"content-length")
        if declared is None:
            return
        if not declared.isdigit():
            raise MalformedBody("Content-Length is not a number")
        if int(declared) > self._limit:
            raise self._too_large()

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"the body is larger than {self._limit} bytes; send less at a time", details={"limit": self._limit}
        )

    def _bounded(self, receive: Receive) -> Receive:
        """For bodies without a declared length, and for those that trickle in."""
        seen, complete = 0, False
        until = asyncio.get_running_loop().time() + self._seconds

        async def bounding() -> Message:
            nonlocal seen, complete
            if complete:
                return await receive()  # waits for the client to leave
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise RequestTooSlow(f"the body did not arrive within {self._seconds:g} s; send it again") from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self._limit:
                    raise self._too_large()
            complete = not message.get("more_body", False)
            return message

        return bounding

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        body = await _read(receive)
        if body and _is_json(header(scope, b"content-type")):
            strict_json.parse(body)
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        return again


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise MalformedBody("the connection closed before the body was complete")
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _is_json(content_type: bytes | None) -> bool:
    """A body without a type is treated as JSON: refusing what is ambiguous costs nothing there."""
    return content_type is None or b"json" in content_type.lower()
