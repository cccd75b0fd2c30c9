"""`/docs`: the API's description in Swagger UI, all of it from this server.

Nothing comes from elsewhere: the page works without a network, and nobody else's script runs at an address whose cookies
renew sessions.
"""

from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGE = "/docs"
ASSETS = "/docs/assets/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles of its own in attributes."""
OURS = "mutx.server.api_docs"
SWAGGER = "fastapi_offline"
KEPT: dict[str, tuple[str, str, str]] = {
    "": (OURS, "page.html", "text/html"),
    "start.js": (OURS, "start.js", "text/javascript"),
    "swagger-ui-bundle.js": (SWAGGER, "static/swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": (SWAGGER, "static/swagger-ui.css", "text/css"),
}
"""Name below `ASSETS` (the page itself: none) -> package, file in it, type."""


def api_docs() -> list[Route]:
    """Beside the API, outside its description."""
    return [Route(PAGE, _file, name="docs"), *(Route(ASSETS + name, _file) for name in KEPT if name)]


async def _file(request: Request) -> Response:
    package, path, kind = KEPT[request.scope["path"].removeprefix(PAGE).removeprefix("/assets/")]
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache"}
    return Response(_read(package, path), media_type=kind, headers=headers)


@cache
def _read(package: str, path: str) -> bytes:
    return files(package).joinpath(path).read_bytes()
