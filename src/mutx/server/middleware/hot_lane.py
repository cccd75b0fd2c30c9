"""The short way for hot requests with nothing unusual about them.

A decision costs less than a stack of middleware around it. So a `POST` to a hot path that names one of our hosts, declares
a body within the limit, carries a bearer credential that was verified a moment ago, is within its rate and asks for
nothing else is served here, in one function. Everything else goes the full way, which gives the same answers.
"""

from collections.abc import Mapping
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.governance.types import Caller
from mutx.kit.errors import MutxError
from mutx.kit.ids import new_id
from mutx.server.doors.http import HotRoute
from mutx.server.http_protocol import KEY as REPLY
from mutx.server.http_protocol import Reply
from mutx.server.identities import KnownIdentities
from mutx.server.middleware.headers import with_headers
from mutx.server.middleware.metrics import HttpMetrics
from mutx.server.middleware.rate_limit import headers_of, written_headers_of
from mutx.server.middleware.security import API, TrustedHosts
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


class HotLane:
    """ASGI: serves plain hot requests itself and hands everything else on."""

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        plain = self._plain(scope) if route is not None else None
        if route is None or plain is None:
            await self._app(scope, receive, send)
            return
        caller, received = plain
        begun, status, sent = perf_counter(), 500, 0
        self._metrics.active.inc()
        try:
            status, sent = await self._serve(route, caller, scope, receive, send)
        finally:
            self._metrics.active.dec()
            if status >= 500:
                self._metrics.failed(f"http_{status}", scope["path"])
            self._metrics.record("POST", scope["path"], status, perf_counter() - begun, received, sent)

    def _plain(self, scope: Scope) -> tuple[Caller, int] | None:
        """The caller and the declared size, if nothing is unusual."""
        host = credential = length = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"authorization":
                credential = value
            elif name == b"content-length":
                length = value
            elif name in UNUSUAL:
                return None
        if not (credential.startswith(BEARER) and length.isdigit() and self._hosts.ours(host)):
            return None
        caller = self._identities.cached(credential[len(BEARER) :].decode("latin-1"))
        if caller is None or int(length) > self._limit or self._throttle.take(caller.principal_id) > 0:
            return None
        return caller, int(length)

    async def _serve(
        self, route: HotRoute, caller: Caller, scope: Scope, receive: Receive, send: Send
    ) -> tuple[int, int]:
        """Status, and bytes of the answer's body."""
        request_id = new_id()
        scope["mutx.request_id"], scope["mutx.caller"] = request_id, caller
        try:
            body = await route.answer(caller, receive)
        except MutxError as error:
            if status_of(error) >= 500:  # where it broke, nobody knew the request's name
                log.warning("request failed", code=error.code, request_id=request_id, tenant=caller.workspace_id)
            extra = (*API, (b"x-request-id", request_id.encode()), *headers_of(self._throttle, caller.principal_id))
            answer = respond(scope, error)
            await answer(scope, receive, with_headers(send, extra))
            return status_of(error), len(answer.body)
        reply: Reply | None = scope.get(REPLY)
        if reply is not None and reply(
            b"%bcontent-length: %d\r\nx-request-id: %b\r\n%b"
            % (HEAD, len(body), request_id.encode(), written_headers_of(self._throttle, caller.principal_id)),
            body,
        ):
            return 200, len(body)
        headers = [
            *HEADERS,
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
            *headers_of(self._throttle, caller.principal_id),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return 200, len(body)
