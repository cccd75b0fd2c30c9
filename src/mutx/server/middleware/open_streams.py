"""A stream that is open when its caller loses a right says nothing more."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mutx.governance.types import Caller
from mutx.kit.errors import MutxError
from mutx.server.identities import KnownIdentities

EVENTS = b"text/event-stream"
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}


class OpenStreams:
    """Looks at the caller again before an event leaves, once anything was revoked since the one before.

    A caller that is revoked, or has other scopes than it began with, gets the end of the stream instead; connecting
    anew is then refused or allowed as for any request. A stream where nothing happens ends with its next keep-alive.
    """

    def __init__(self, app: ASGIApp, *, identities: KnownIdentities) -> None:
        self._app = app
        self._identities = identities

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller | None = scope.get("mutx.caller") if scope["type"] == "http" else None
        if caller is None:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Watched(send, caller, self._identities))


class _Watched:
    """The `send` of one answer; only that of a stream costs more than a look."""

    __slots__ = ("_caller", "_ended", "_identities", "_send", "_streams", "_trusted")

    def __init__(self, send: Send, caller: Caller, identities: KnownIdentities) -> None:
        self._send = send
        self._caller = caller
        self._identities = identities
        self._streams = False
        self._ended = False
        self._trusted = identities.epoch

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._streams = any(name == b"content-type" and EVENTS in value for name, value in message["headers"])
        elif self._ended:
            return
        elif self._streams and not await self._still():
            self._ended = True
            message = END
        await self._send(message)

    async def _still(self) -> bool:
        """Whether the caller is who it was. A store that cannot say so counts as a no."""
        epoch = self._identities.epoch
        if epoch is not None and epoch == self._trusted:
            return True
        try:
            today = await self._identities.current(self._caller)
        except MutxError:
            return False
        self._trusted = epoch
        return today is not None and (today.scopes, today.limits) == (self._caller.scopes, self._caller.limits)
