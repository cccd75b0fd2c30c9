"""Who a credential belongs to, asked at the door and asked again at release (AARM R6)."""

import asyncio
from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from mutx.governance.types import Caller, PrincipalKind
from mutx.kit.clock import Clock
from mutx.kit.errors import Unauthenticated
from mutx.kit.ids import new_token
from mutx.resources.api_keys.source import KeySource
from mutx.resources.auth.directory import PersonDirectory
from mutx.resources.auth.source import TokenSource
from mutx.resources.permissions.directory import limited
from mutx.resources.supervision.kills import kill_limits
from mutx.resources.supervision.source import SupervisedSource
from mutx.resources.workspaces.service import allows_own_approvals
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.sources import Closing, IdentitySource
from mutx.services.identity.verified import digest_of
from mutx.storage.engine import Database

LOCAL = "peer"
"""Method of a caller that the kernel vouched for, at the socket or inside this process."""


JOIN_SECONDS = 0.1
"""How old a look into the store may be for another request to share it; a fraction of `revocation.LEASE`."""


class KnownIdentities:
    """Credentials to callers, through a cache of what was verified a moment ago. Implements `ports.Identities`."""

    def __init__(
        self, database: Database, auth: Authentication, clock: Clock, more: Sequence[IdentitySource] = ()
    ) -> None:
        """`more`: sources beside keys and our own tokens, asked after them, in order."""
        self._database = database
        self._callers = auth.callers
        self._sources: tuple[IdentitySource, ...] = (
            KeySource(database, auth, clock),
            TokenSource(database, auth),
            SupervisedSource(database),
            *more,
        )
        self._looking: dict[tuple[bytes, int], tuple[float, asyncio.Future[Caller]]] = {}
        """Verifications under way: when each began. Under the epoch they began in: a revocation ends the sharing."""
        self._unsaid = new_token()
        self._by_method = {method: source for source in self._sources for method in source.methods}

    @property
    def epoch(self) -> int | None:
        """Moves with every revocation; None while this process cannot know of those of the other replicas."""
        return self._callers.epoch if self._callers.leased else None

    def cached(self, credential: str) -> Caller | None:
        """The caller, if this credential was verified a moment ago and nothing was revoked since."""
        return self._callers.get(credential)

    def cached_as(self, digest: bytes) -> Caller | None:
        """As `cached`, by what `digest_of` the credential gave."""
        return self._callers.named(digest)

    async def authenticate(self, credential: str) -> Caller:
        """The caller, from the cache or the store. Raises Unauthenticated."""
        return self.cached(credential) or await self._together(credential)

    async def _together(self, credential: str) -> Caller:
        """Requests that come at once with one credential share one look into the store."""
        key, now = (digest_of(credential), self._callers.epoch), asyncio.get_running_loop().time()
        started, looking = self._looking.get(key, (0.0, None))
        if looking is None or now - started > JOIN_SECONDS:
            looking = asyncio.ensure_future(self.resolve(credential))
            self._looking[key] = now, looking
            looking.add_done_callback(partial(self._looked, key))
        return await asyncio.shield(looking)

    def _looked(self, key: tuple[bytes, int], looking: asyncio.Future[Caller]) -> None:
        if self._looking.get(key, (0.0, None))[1] is looking:
            del self._looking[key]
        if not looking.cancelled():
            looking.exception()  # whoever waited for it has gone: nobody else will ask

    async def resolve(self, credential: str) -> Caller:
        """Verify anew. Raises Unauthenticated for what is unknown, expired or revoked."""
        epoch = self._callers.epoch
        source = next((source for source in self._sources if source.recognises(credential)), None)
        if source is None:
            raise Unauthenticated("this is neither a key nor a token that this server knows; sign in again")
        found = await source.verify(credential)
        caller = await self._limited(found.caller)
        self._callers.put(credential, caller, epoch=epoch, expires_at=found.expires_at)
        return caller

    async def vouched(self, caller: Caller) -> Caller:
        """Whom the kernel or this process itself vouches for, with today's limits. Raises Unauthenticated.

        Remembered like a credential, under a name that nobody could send as one.
        """
        name = f"{self._unsaid}/{caller.method}/{caller.workspace_id}/{caller.principal_id}/{caller.door}"
        known = self.cached(name)
        if known is not None:
            return known
        epoch = self._callers.epoch
        today = await self.current(caller)
        if today is None:
            raise Unauthenticated("whoever this process acts for may do so no more; sign in, or send a token")
        self._callers.put(name, today, epoch=epoch, expires_at=None)
        return today

    async def current(self, caller: Caller) -> Caller | None:
        """The caller with today's roles and scopes; None if its key, user or agent was revoked since."""
        if caller.kind is PrincipalKind.SYSTEM:
            return caller
        if caller.method == LOCAL:
            today = await self._local(caller)
            return None if today is None else await self._limited(today)
        source = self._by_method.get(caller.method)
        today = None if source is None else await source.current(caller)
        return None if today is None else await self._limited(today)

    async def _limited(self, caller: Caller) -> Caller:
        async with self._database.read() as session:
            caller = await limited(session, caller)
            killed = await kill_limits(session, caller.workspace_id)
        return replace(caller, limits=(*caller.limits, *killed)) if killed else caller

    async def _local(self, caller: Caller) -> Caller | None:
        """The operator, or a process of theirs: known by the kernel's word, as long as the operator is."""
        async with self._database.read() as session:
            operator = await PersonDirectory(session, verified_email=False).refreshed(caller)
        return operator if operator is None or caller.kind is PrincipalKind.PERSON else caller

    async def may_approve_own(self, workspace_id: str) -> bool:
        """Whether people of this workspace may approve what an agent asks in their own name."""
        async with self._database.read() as session:
            return await allows_own_approvals(session, workspace_id)

    async def close(self) -> None:
        """Let go of what the sources hold."""
        for source in self._sources:
            if isinstance(source, Closing):
                await asyncio.to_thread(source.close)
