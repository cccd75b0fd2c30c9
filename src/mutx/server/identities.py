"""Who a credential belongs to, asked at the door and asked again at release (AARM R6)."""

from mutx.governance.types import Caller, PrincipalKind
from mutx.kit.clock import Clock
from mutx.kit.errors import Unauthenticated
from mutx.resources.api_keys.directory import KeyDirectory
from mutx.resources.auth.directory import PersonDirectory
from mutx.resources.workspaces.service import allows_own_approvals
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.secrets import SecretKind, kind_of
from mutx.storage.engine import Database

LOCAL = "peer"
"""Method of a caller that the kernel vouched for, at the socket or inside this process."""


class KnownIdentities:
    """Credentials to callers, through a cache of what was verified a moment ago. Implements `ports.Identities`."""

    def __init__(self, database: Database, auth: Authentication, clock: Clock) -> None:
        self._database = database
        self._auth = auth
        self._clock = clock

    def cached(self, credential: str) -> Caller | None:
        """The caller, if this credential was verified a moment ago and nothing was revoked since."""
        return self._auth.callers.get(credential)

    async def authenticate(self, credential: str) -> Caller:
        """The caller, from the cache or the store. Raises Unauthenticated."""
        return self.cached(credential) or await self.resolve(credential)

    async def resolve(self, credential: str) -> Caller:
        """Verify against the store. Raises Unauthenticated for what is unknown, expired or revoked."""
        epoch = self._auth.callers.epoch
        if kind_of(credential) in (SecretKind.API_KEY, SecretKind.AGENT_KEY):
            caller, expires_at = await self._by_key(credential)
        else:
            caller, expires_at = await self._by_token(credential)
        self._auth.callers.put(credential, caller, epoch=epoch, expires_at=expires_at)
        return caller

    async def _by_key(self, secret: str) -> tuple[Caller, float | None]:
        now = self._clock.now()
        async with self._database.read() as session:
            found = await KeyDirectory(session, now).by_digest(self._auth.secrets.digest(secret))
        if found is None:
            raise Unauthenticated("this API key is unknown, expired or revoked; create a new one")
        self._auth.key_uses[found.caller.principal_id] = now
        return found.caller, found.expires_at

    async def _by_token(self, token: str) -> tuple[Caller, float | None]:
        claims = self._auth.tokens.verify(token)
        async with self._database.read() as session:
            caller = await PersonDirectory(session).signed_in(claims)
        if caller is None:
            raise Unauthenticated("this session has ended; sign in again")
        return caller, claims.expires_at

    async def current(self, caller: Caller) -> Caller | None:
        """The caller with today's roles and scopes; None if its key, user or agent was revoked since."""
        if caller.kind is PrincipalKind.SYSTEM:
            return caller
        async with self._database.read() as session:
            if caller.kind is PrincipalKind.PERSON:
                return await PersonDirectory(session).refreshed(caller)
            if caller.method == LOCAL:
                # A process of the operator's own user: known by the kernel's word, as long as the operator is.
                return caller if await PersonDirectory(session).refreshed(caller) is not None else None
            return await KeyDirectory(session, self._clock.now()).refreshed(caller)

    async def may_approve_own(self, workspace_id: str) -> bool:
        """Whether people of this workspace may approve what an agent asks in their own name."""
        async with self._database.read() as session:
            return await allows_own_approvals(session, workspace_id)
