"""The refresh token of a browser: in a cookie that no script reads and no other site sends.

The cookie goes to the sign-in operations only, over TLS (or to this machine) only, and is SameSite=Strict. On top of that
it counts and is given only where the request's Origin is one of ours: browsers send that header with every POST, and no
page can forge it. Programs send no Origin and get their tokens in the body.
"""

from typing import Annotated, Any

from fastapi import Depends, Request, Response

from mutx.kit.errors import PermissionDenied
from mutx.web.credentials import from_own_page

NAME = "__Secure-mutx_refresh"
PATH = "/v1/auth"


class RefreshCookie:
    """The cookie of one request and its answer."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request = request
        self._response = response

    def read(self, origins: tuple[str, ...]) -> str | None:
        """The token in it; None without one. Raises PermissionDenied where the request comes from no page of ours."""
        token = self._request.cookies.get(NAME)
        if token is not None:
            self.require_own_page(origins)
        return token

    def require_own_page(self, origins: tuple[str, ...]) -> None:
        """Raises PermissionDenied."""
        if not from_own_page(self._request.scope, origins):
            raise PermissionDenied(
                "a sign-in cookie is for pages of this server only; programs send and get the refresh token in the body"
            )

    def put(self, token: str, seconds: int) -> None:
        self._response.set_cookie(NAME, token, max_age=seconds, **_attributes())

    def clear(self) -> None:
        """Forget it, if there was one."""
        if NAME in self._request.cookies:
            self._response.delete_cookie(NAME, **_attributes())


def _attributes() -> dict[str, Any]:
    return {"path": PATH, "secure": True, "httponly": True, "samesite": "strict"}


async def _cookie(request: Request, response: Response) -> RefreshCookie:
    return RefreshCookie(request, response)


Cookie = Annotated[RefreshCookie, Depends(_cookie)]
