"""The hot routes stand before FastAPI's router: no route table to walk, no per-request models."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


class FastLane:
    """Exact `POST` paths to the doors that serve them; everything else goes on."""

    def __init__(self, app: ASGIApp, *, doors: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            door = self._doors.get(scope["path"])
            if door is not None:
                scope["mutx.route"] = scope["path"]
                await door(scope, receive, send)
                return
        await self._app(scope, receive, send)
