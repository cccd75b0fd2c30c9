"""Access tokens of the OpenID provider, as a way to say who one is."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.resources.auth.directory import PersonDirectory, person
from mutx.resources.sso.people import Admitted, SsoPeople
from mutx.services.identity.sources import Verified
from mutx.services.oidc.sign_on import SignOn
from mutx.services.oidc.verify import header_of
from mutx.storage.engine import Database
from mutx.web.revocation import Revocations

METHOD = "oidc"


class OidcSource:
    """JWTs of one issuer, for one audience. Implements `IdentitySource`."""

    methods = frozenset({METHOD})

    def __init__(self, database: Database, revocations: Revocations, sign_on: SignOn, clock: Clock) -> None:
        self._database = database
        self._revocations = revocations
        self._sign_on = sign_on
        self._clock = clock

    def recognises(self, credential: str) -> bool:
        return header_of(credential) is not None

    async def verify(self, credential: str) -> Verified:
        claims = await self._sign_on.tokens.access_token(credential)
        admitted = await self._known(claims)
        if admitted is None:
            claims = await self._sign_on.flow.completed(claims, credential)
            admitted = await admit(self._revocations, self._sign_on, self._clock, claims)
        member, user = admitted.member, admitted.user
        caller = person(user.id, member.workspace_id, (member.role,), user.email)
        return Verified(replace(caller, method=METHOD), float(claims["exp"]))

    async def _known(self, claims: Mapping[str, Any]) -> Admitted | None:
        async with self._database.read() as session:
            people = SsoPeople(session, self._sign_on.config, to_datetime(self._clock.now()))
            return await people.known(claims)

    async def current(self, caller: Caller) -> Caller | None:
        async with self._database.read() as session:
            return await PersonDirectory(session, verified_email=False).refreshed(caller)


async def admit(revocations: Revocations, sign_on: SignOn, clock: Clock, claims: Mapping[str, Any]) -> Admitted:
    """Write down who came and what they may do. Raises Unauthenticated, Conflict."""

    async def once() -> Admitted:
        async with revocations.unit() as session:
            admitted = await SsoPeople(session, sign_on.config, to_datetime(clock.now())).admit(claims)
            if admitted.changed:
                await revocations.revoke(session)
            return admitted

    try:
        return await once()
    except IntegrityError:  # two first requests of one person at once: the other one made the account
        return await once()
