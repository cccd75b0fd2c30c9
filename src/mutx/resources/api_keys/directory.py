"""Keys, as the door finds them behind a secret."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.api_keys import KeyKind
from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.clock import to_datetime
from mutx.kit.errors import PermissionDenied
from mutx.resources.api_keys.models import ApiKeyRow
from mutx.resources.auth.directory import require_verified
from mutx.resources.workspaces.models import UserRow
from mutx.resources.workspaces.service import active_member
from mutx.web.access import AGENT_SCOPES, capped, narrowed


class FoundKey(Struct, frozen=True):
    caller: Caller
    expires_at: float | None
    """When the secret that was used stops working, in seconds since the epoch."""


class KeyDirectory:
    def __init__(self, session: AsyncSession, now: float, *, verified_email: bool) -> None:
        """`verified_email`: keys of whoever has not proved their address open nothing."""
        self._session = session
        self._verified_email = verified_email
        self._now = to_datetime(now)

    async def by_digest(self, digest: str) -> FoundKey | None:
        """Whose key this is; None if it is unknown, expired, revoked, or its owner is gone."""
        by_either = or_(ApiKeyRow.digest == digest, ApiKeyRow.previous_digest == digest)
        row = await self._session.scalar(select(ApiKeyRow).where(by_either))
        if row is None:
            return None
        ends = [row.expires_at, row.previous_until if row.digest != digest else None]
        expires_at = min((end for end in ends if end is not None), default=None)
        caller = await self._caller(row, expires_at)
        return None if caller is None else FoundKey(caller, None if expires_at is None else expires_at.timestamp())

    async def refreshed(self, caller: Caller) -> Caller | None:
        """The same key's caller as of now; None if the key does not hold any more."""
        row = await self._session.get(ApiKeyRow, caller.principal_id)
        try:
            found = None if row is None else await self._caller(row, row.expires_at)
        except PermissionDenied:
            return None
        return None if found is None else replace(found, door=caller.door, method=caller.method)

    async def _caller(self, row: ApiKeyRow, expires_at: datetime | None) -> Caller | None:
        if row.revoked_at is not None or (expires_at is not None and expires_at <= self._now):
            return None
        owner = await active_member(self._session, row.user_id, row.workspace_id)
        if owner is None:
            return None
        agent = row.kind == KeyKind.AGENT
        role, scopes = capped(owner.role, row.role)
        user = await self._session.get_one(UserRow, row.user_id)
        require_verified(user, wanted=self._verified_email)
        return Caller(
            workspace_id=row.workspace_id,
            principal_id=row.id,
            # A coding agent's key is an agent's: it makes no keys and approves nothing.
            kind=PrincipalKind.AGENT if agent or row.lane else PrincipalKind.API_KEY,
            door=Door.HTTP,
            user_id=row.user_id,
            agent_id=row.agent_id,
            roles=() if agent or role is None else (role,),
            scopes=AGENT_SCOPES if agent else narrowed(scopes, row.scopes),
            method="agent_key" if agent else "api_key",
            email=user.email,
            lane=row.lane or "",
        )
