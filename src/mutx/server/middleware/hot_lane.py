"""The short way for hot requests with nothing unusual about them.

A decision costs less than a stack of middleware around it. So a `POST` to a hot path that names one of our hosts, declares
a body within the limit, carries a bearer credential that was verified a moment ago, is within its rate and asks for
nothing else is served here, in one function. Everything else goes the full way, which gives the same answers.
"""

from collections.abc import Mapping
from time import perf_counter

import structlog
from msgspec import Struct
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from mutx.governance.types import Caller
from mutx.kit.errors import MutxError
from mutx.kit.ids import new_id
from mutx.server.doors.http import HotRoute
from mutx.server.http_protocol import KEY as REPLY
from mutx.server.http_protocol import Reply
from mutx.server.identities import KnownIdentities
from mutx.server.middleware.metrics import HttpMetrics
from mutx.server.middleware.rate_limit import headers_of, written_headers_of
from mutx.server.middleware.security import API, TrustedHosts
from mutx.services.identity.verified import digest_of
from mutx.storage.throttle import RateLimiter
from mutx.web.problems import respond, status_of

log = structlog.stdlib.get_logger("mutx.http")

BEARER = b"Bearer "
UNUSUAL = frozenset(
    (b"x-request-id", b"x-api-key", b"traceparent", b"transfer-encoding", b"expect", b"origin", b"content-encoding")
)
"""Headers that mean work for the full way."""
HEADERS = (
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
"""What matters for JSON that programs read; the full way adds what browsers look at."""
HEAD = b"HTTP/1.1 200 OK\r\n" + b"".join(b"%b: %b\r\n" % header for header in HEADERS)


CLOSES = (b"connection", b"close")
MAX_HEADS = 4096
"""Different heads of plain hot requests that are remembered."""


class PlainHead(Struct, frozen=True, gc=False):
    """What the head of a hot request with nothing unusual about it says, but for the size of its body."""

    route: HotRoute
    path: str
    credential: bytes
    """`digest_of` what stood there: no credential stays in memory."""


class Written(Struct, frozen=True, gc=False):
    """An answer on its way: its status line and headers as they stand on the wire, without the last line end."""

    head: bytes
    body: bytes
    closes: bool = False


class HotLane:
    """ASGI: serves plain hot requests itself and hands everything else on.

    A server that reads a connection's bytes may leave ASGI out for a request whose head it has seen before (`HotHttp`):
    `known` and `learn` are its memory of heads, `admit` and `answer` do the rest.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Mapping[str, HotRoute],
        hosts: TrustedHosts,
        identities: KnownIdentities,
        throttle: RateLimiter,
        metrics: HttpMetrics,
        limit: int,
    ) -> None:
        """`limit`: bytes of a body. `throttle`: the one that the full way takes from for hot paths."""
        self._app = app
        self._routes = routes
        self._hosts = hosts
        self._identities = identities
        self._throttle = throttle
        self._metrics = metrics
        self._limit = limit
        self._heads: dict[bytes, PlainHead] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._plain(scope) if scope["type"] == "http" else None
        caller = None if found is None else self.admit(*found)
        if found is None or caller is None:
            await self._app(scope, receive, send)
            return
        plain, received = found
        request_id = new_id()
        scope["mutx.request_id"], scope["mutx.caller"] = request_id, caller
        answer = await self._measured(plain, caller, received, receive, request_id)
        if isinstance(answer, JSONResponse):
            await answer(scope, receive, send)
            return
        reply: Reply | None = scope.get(REPLY)
        if reply is None or not reply(self._head(len(answer), request_id, caller), answer):
            headers = [
                *HEADERS,
                (b"content-length", b"%d" % len(answer)),
                (b"x-request-id", request_id.encode()),
                *headers_of(self._throttle, caller.principal_id),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})

    def known(self, head: bytes) -> PlainHead | None:
        """What a head says that was learnt under this name."""
        return self._heads.get(head)

    def learn(self, head: bytes, scope: Scope) -> None:
        """Remember what the request of `scope` says under a name that no other head has."""
        found = self._plain(scope)
        if found is not None:
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            self._heads[head] = found[0]

    def admit(self, plain: PlainHead, length: int) -> Caller | None:
        """Who asks, charged for one request; None if it is for the full way to look at."""
        caller = self._identities.cached_as(plain.credential) if length <= self._limit else None
        return caller if caller is not None and self._throttle.take(caller.principal_id) <= 0 else None

    async def answer(self, plain: PlainHead, caller: Caller, body: bytes) -> Written:
        """The answer to a request that was admitted. Raises nothing of its own."""
        request_id = new_id()
        answer = await self._measured(plain, caller, len(body), body, request_id)
        if isinstance(answer, JSONResponse):
            head = b"".join((STATUS_LINE[answer.status_code], *(b"%b: %b\r\n" % pair for pair in answer.raw_headers)))
            return Written(head, bytes(answer.body), closes=CLOSES in answer.raw_headers)
        return Written(self._head(len(answer), request_id, caller), answer)

    def _plain(self, scope: Scope) -> tuple[PlainHead, int] | None:
        """What the request says and the size that it declares, if nothing is unusual."""
        route = self._routes.get(scope["path"]) if scope["method"] == "POST" else None
        host = credential = length = b""
        for name, value in scope["headers"] if route is not None else ():
            if name == b"host":
                if host:
                    return None
                host = value
            elif name == b"authorization":
                credential = value
            elif name == b"content-length":
                length = value
            elif name in UNUSUAL:
                return None
        if route is None or not (credential.startswith(BEARER) and length.isdigit() and self._hosts.ours(host)):
            return None
        return PlainHead(route, scope["path"], digest_of(credential[len(BEARER) :].decode("latin-1"))), int(length)

    async def _measured(
        self, plain: PlainHead, caller: Caller, received: int, body: bytes | Receive, request_id: str
    ) -> bytes | JSONResponse:
        """The answer's body, or a whole answer that says what went wrong; counted, timed and sized."""
        metrics, begun, status, sent = self._metrics, perf_counter(), 500, 0
        metrics.active += 1
        try:
            answer = await self._run(plain.route, caller, body, request_id)
            status, sent = (200, len(answer)) if isinstance(answer, bytes) else (answer.status_code, len(answer.body))
            return answer
        finally:
            metrics.active -= 1
            if status >= 500:
                metrics.failed(f"http_{status}", plain.path)
            metrics.record("POST", plain.path, status, perf_counter() - begun, received, sent)

    async def _run(
        self, route: HotRoute, caller: Caller, body: bytes | Receive, request_id: str
    ) -> bytes | JSONResponse:
        try:
            return await route.answer(caller, body if isinstance(body, bytes) else await route.read(body))
        except MutxError as error:
            if status_of(error) >= 500:  # where it broke, nobody knew the request's name
                log.warning("request failed", code=error.code, request_id=request_id, tenant=caller.workspace_id)
            answer = respond({"mutx.request_id": request_id}, error)
            extra = (*API, (b"x-request-id", request_id.encode()), *headers_of(self._throttle, caller.principal_id))
            answer.raw_headers.extend(extra)
            return answer

    def _head(self, size: int, request_id: str, caller: Caller) -> bytes:
        allowance = written_headers_of(self._throttle, caller.principal_id)
        return b"%bcontent-length: %d\r\nx-request-id: %b\r\n%b" % (HEAD, size, request_id.encode(), allowance)
