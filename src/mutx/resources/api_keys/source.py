"""API keys and agents' keys, as a way to say who one is."""

from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.types import Caller
from mutx.kit.clock import Clock
from mutx.kit.errors import Unauthenticated
from mutx.resources.api_keys.directory import KeyDirectory
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.secrets import SecretKind, kind_of
from mutx.services.identity.sources import Verified
from mutx.storage.engine import Database


class KeySource:
    """`mutx_live_...` and `mutx_agent_...`. Implements `IdentitySource`."""

    methods = frozenset({"api_key", "agent_key"})

    def __init__(self, database: Database, auth: Authentication, clock: Clock) -> None:
        self._database = database
        self._auth = auth
        self._clock = clock

    def recognises(self, credential: str) -> bool:
        return kind_of(credential) in (SecretKind.API_KEY, SecretKind.AGENT_KEY)

    async def verify(self, credential: str) -> Verified:
        async with self._database.read() as session:
            found = await self._keys(session).by_digest(self._auth.secrets.digest(credential))
        if found is None:
            raise Unauthenticated("this API key is unknown, expired or revoked; create a new one")
        self._auth.key_uses.note(found.caller.principal_id, self._clock.now())
        return Verified(found.caller, found.expires_at)

    async def current(self, caller: Caller) -> Caller | None:
        async with self._database.read() as session:
            return await self._keys(session).refreshed(caller)

    def _keys(self, session: AsyncSession) -> KeyDirectory:
        return KeyDirectory(session, self._clock.now(), verified_email=self._auth.rules.verified_email)
