"""Addresses as older clients write them: without the version in front, or with a slash behind."""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

VERSION = "/v1"


class Addresses:
    """Serves `/agents` as `/v1/agents` and `/v1/agents/` as `/v1/agents`, without sending anybody elsewhere.

    A redirect would lose the body of a POST in some clients, and the credential in others.
    """

    def __init__(self, app: ASGIApp, *, families: Collection[str]) -> None:
        """`families`: first segments of the paths below the version, without those that stand at the root as well."""
        self._app = app
        self._families = frozenset(families)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._normalise(scope)
        await self._app(scope, receive, send)

    def _normalise(self, scope: Scope) -> None:
        path: str = scope["path"]
        raw: bytes = scope.get("raw_path") or path.encode()
        if len(path) > 1 and path.endswith("/") and raw.endswith(b"/"):
            path, raw = path[:-1], raw[:-1]
        if path[1:].partition("/")[0] in self._families:
            path, raw = VERSION + path, VERSION.encode() + raw
        if path != scope["path"]:
            scope["path"], scope["raw_path"] = path, raw


def families(urls: Collection[str]) -> frozenset[str]:
    """The first segments below the version, of all operations' `urls`; one that also stands at the root is not among them."""
    at_root = {url.split("/")[1] for url in urls if not url.startswith(VERSION + "/")}
    return frozenset(url.split("/")[2] for url in urls if url.startswith(VERSION + "/")) - at_root
