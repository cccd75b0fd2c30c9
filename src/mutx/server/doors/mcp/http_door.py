"""An MCP server over streamable HTTP as an OAuth protected resource: nobody is heard without a token that is good here.

RFC 9728 metadata at `/.well-known/oauth-protected-resource/mcp`, and its address in `WWW-Authenticate` (RFC 6750 §3).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from mcp.server import Server
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.auth.provider import TokenVerifier
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from msgspec import Struct
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mutx.kit.errors import SetupError

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"
MAX_BODY = 1_000_000
MAX_HTTP_SESSIONS = 1000
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class HttpPlace(Struct, frozen=True, kw_only=True):
    """Where the door is, from inside and from outside."""

    host: str
    port: int
    public_url: str = ""
    """How clients reach it, without the path; empty: `http://HOST:PORT`."""
    authorization_servers: tuple[str, ...] = ()
    """Issuers whose tokens the control plane takes; clients go there to sign in."""

    @property
    def resource(self) -> str:
        """The door's identifier, for which tokens must have been issued."""
        return f"{(self.public_url or f'http://{self.host}:{self.port}').rstrip('/')}{PATH}"

    def check(self) -> None:
        """Raises SetupError: beyond this machine tokens travel encrypted or not at all."""
        if self.host not in LOOPBACK and urlsplit(self.public_url).scheme != "https":
            raise SetupError(
                f"{self.host} is open to others: give --public-url https://..., and put what ends TLS before it"
            )


def http_app(
    server: "Server[object]",
    verifier: TokenVerifier,
    place: HttpPlace,
    *,
    beside: Sequence[Callable[[], Awaitable[None]]] = (),
) -> Starlette:
    """`beside`: work that runs as long as the app does."""
    manager = StreamableHTTPSessionManager(
        app=server, security_settings=_security(place), max_request_body_size=MAX_BODY, max_sessions=MAX_HTTP_SESSIONS
    )
    metadata_url = AnyHttpUrl(place.resource.removesuffix(PATH) + METADATA + PATH)
    guarded = RequireAuthMiddleware(StreamableHTTPASGIApp(manager), [], metadata_url)

    async def metadata(_: Request) -> Response:
        return JSONResponse(_metadata(place), headers={"cache-control": "public, max-age=300"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with manager.run(), _running(beside):
            yield

    routes = [Route(PATH, endpoint=guarded)]
    routes += [Route(path, endpoint=metadata, methods=["GET"]) for path in (METADATA + PATH, METADATA)]
    # Each token is judged by the verifier, audience included.
    backend = BearerAuthBackend(verifier, resource_server_url=AnyHttpUrl(place.resource))
    middleware = [
        Middleware(AuthenticationMiddleware, backend=backend, on_error=_unavailable),
        Middleware(AuthContextMiddleware),
    ]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


def _metadata(place: HttpPlace) -> dict[str, object]:
    """RFC 9728 §2."""
    found: dict[str, object] = {
        "resource": place.resource,
        "resource_name": "MUTX",
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["mcp:act", "governance:act"],
    }
    if place.authorization_servers:
        found["authorization_servers"] = list(place.authorization_servers)
    return found


def _security(place: HttpPlace) -> TransportSecuritySettings:
    """Against pages that reach for this machine by a name of theirs (DNS rebinding)."""
    outside = urlsplit(place.resource)
    hosts = {outside.netloc, f"{place.host}:{place.port}"}
    origins = {f"{outside.scheme}://{outside.netloc}"}
    if place.host in LOOPBACK:
        hosts |= {f"127.0.0.1:{place.port}", f"localhost:{place.port}", f"[::1]:{place.port}"}
        origins |= {f"http://127.0.0.1:{place.port}", f"http://localhost:{place.port}"}
    return TransportSecuritySettings(allowed_hosts=sorted(hosts), allowed_origins=sorted(origins))


def _unavailable(_: HTTPConnection, error: Exception) -> Response:
    return JSONResponse({"error": "temporarily_unavailable", "error_description": str(error)}, 503)


@asynccontextmanager
async def _running(beside: Sequence[Callable[[], Awaitable[None]]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work()) for work in beside]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
