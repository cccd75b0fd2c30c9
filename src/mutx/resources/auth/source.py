"""Access tokens that this server issued, as a way to say who one is."""

from mutx.governance.types import Caller
from mutx.kit.errors import Unauthenticated
from mutx.resources.auth.directory import PersonDirectory
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.sources import Verified
from mutx.storage.engine import Database


class TokenSource:
    """JWTs signed with a key of ours. Implements `IdentitySource`."""

    methods = frozenset({"jwt"})

    def __init__(self, database: Database, auth: Authentication) -> None:
        self._database = database
        self._tokens = auth.tokens
        self._verified_email = auth.rules.verified_email

    def recognises(self, credential: str) -> bool:
        return self._tokens.ours(credential)

    async def verify(self, credential: str) -> Verified:
        claims = self._tokens.verify(credential)
        async with self._database.read() as session:
            caller = await PersonDirectory(session, verified_email=self._verified_email).signed_in(claims)
        if caller is None:
            raise Unauthenticated("this session has ended; sign in again")
        return Verified(caller, claims.expires_at)

    async def current(self, caller: Caller) -> Caller | None:
        async with self._database.read() as session:
            return await PersonDirectory(session, verified_email=self._verified_email).refreshed(caller)
