"""Headers that tell a browser to trust nothing (OWASP REST security cheat sheet), and hosts that are not ours."""

from collections.abc import Collection, Sequence

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.server.middleware.headers import with_headers
from mutx.web.problems import problem, request_id_of

COMMON = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
API = (
    *COMMON,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class SecurityHeaders:
    """Adds them. Pages meant for browsers (`pages`: path prefixes) keep their own content security policy."""

    def __init__(self, app: ASGIApp, *, pages: Sequence[str]) -> None:
        self._app = app
        self._pages = tuple(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        extra = COMMON if scope["path"].startswith(self._pages) else API
        if scope["scheme"] == "https":
            extra = (*extra, HSTS)
        await self._app(scope, receive, with_headers(send, extra))


class TrustedHosts:
    """Answers only to its own names, so that no other site's page reaches a server on somebody's machine."""

    def __init__(self, app: ASGIApp, *, names: Collection[str]) -> None:
        """`names`: host names; `*.example.org` for all below one, `*` for any."""
        self._app = app
        self._any = "*" in names
        self._exact = frozenset(name.lower() for name in names)
        self._suffixes = tuple(name[1:].lower() for name in names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._named(scope):
            message = "this server does not go by that name; add it to ALLOWED_HOSTS if it should"
            answer = JSONResponse(problem("unknown_host", message, {}, request_id_of(scope)), 400)
            await answer(scope, receive, with_headers(send, API))
            return
        await self._app(scope, receive, send)

    def _named(self, scope: Scope) -> bool:
        """Whether a request names one of our hosts, and no second one for whatever stands in front to go by."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return len(hosts) <= 1 and self.ours(b"".join(hosts))

    def ours(self, host: bytes) -> bool:
        """Whether the server goes by this name."""
        if self._any:
            return True
        name = host.decode("latin-1").lower()
        name = name if name.endswith("]") else name.rpartition(":")[0] or name
        return name in self._exact or name.endswith(self._suffixes)
