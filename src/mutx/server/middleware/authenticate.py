"""Who is asking. Resolved once per request, early; what needs a caller refuses for itself when there is none."""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from mutx.kit.errors import AuthError, MutxError
from mutx.server.identities import KnownIdentities
from mutx.web.credentials import credential_of
from mutx.web.problems import respond


class Authenticate:
    """Puts the verified Caller, or None, into `scope["mutx.caller"]`.

    A credential that does not hold leaves None and the error in `scope["mutx.refused"]`: a public operation goes on
    without it, all others answer with it. At `probes`, which no limit counts, nobody is looked up: they answer while the
    store is away, and cost no look-up in it.
    """

    def __init__(self, app: ASGIApp, *, identities: KnownIdentities, probes: Collection[str] = ()) -> None:
        self._app = app
        self._identities = identities
        self._probes = frozenset(probes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["mutx.caller"] = None
        if scope["path"] in self._probes:
            await self._app(scope, receive, send)
            return
        try:
            if (credential := credential_of(scope)) is not None:
                scope["mutx.caller"] = await self._identities.authenticate(credential)
        except AuthError as error:
            scope["mutx.refused"] = error
        except MutxError as error:
            await respond(scope, error)(scope, receive, send)
            return
        await self._app(scope, receive, send)
