"""Which route a path is for, without trying all of them: a router tries one after the other, and there are many."""

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send


class Signposts(BaseRoute):
    """Stands before an application's routes and tries only those whose paths begin with the same two segments.

    What it does not find (no such path, another method, a template that begins with a parameter) is left to the routes
    behind it, which answer as if it were not there.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        """`routes`: in the application's order."""
        self._routes: dict[str, list[Route]] = {}
        for route in routes:
            if "{" not in (start := _start(route.path)):
                self._routes.setdefault(start, []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http":
            for route in self._routes.get(_start(scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, {**found, "route": route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises KeyError for a scope that did not match."""
        route: Route = scope["route"]
        await route.handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Raises NoMatchFound: the routes behind know."""
        raise NoMatchFound(name, path_params)


def _start(path: str) -> str:
    return "/".join(path.split("/", 3)[:3])
