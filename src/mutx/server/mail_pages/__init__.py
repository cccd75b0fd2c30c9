"""The pages that our mails link to: verify an address, set a new password, join a workspace.

Static and the same for everybody. What a person does there goes to the API like any client's request.
"""

from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGES = ("/verify-email", "/reset-password", "/accept-invitation")
ASSETS = "/mail-pages/"
OWN_POLICY = (*PAGES, ASSETS)
"""Path prefixes whose content security policy is the one below."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}


def mail_pages() -> list[Route]:
    """Beside the API, outside its description."""
    assets = [Route(ASSETS + name, _page, name=name) for name in TYPES if name != "page.html"]
    return [*(Route(path, _page, name="page.html") for path in PAGES), *assets]


async def _page(request: Request) -> Response:
    name = request.scope["path"].removeprefix(ASSETS)
    name = name if name in TYPES else "page.html"
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache"}
    return Response(_read(name), media_type=TYPES[name], headers=headers)


@cache
def _read(name: str) -> bytes:
    return files(__name__).joinpath(name).read_bytes()
