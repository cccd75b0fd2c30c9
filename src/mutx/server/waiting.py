"""What listens while the database is not there yet: everything is answered 503, and decided nothing."""

from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.kit.errors import Unavailable
from mutx.server.middleware.hot_lane import HotLane
from mutx.web.problems import respond


class WaitingRoom:
    """Hands over to the control plane once there is one."""

    def __init__(self, app: ASGIApp | None = None) -> None:
        self.app = app

    @property
    def hot_lane(self) -> HotLane | None:
        """The control plane's, once there is one."""
        return getattr(self.app, "hot_lane", None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.app is not None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            error = Unavailable("the database is not up yet; nothing is decided until it is")
            await respond(scope, error)(scope, receive, send)
