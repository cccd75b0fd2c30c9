"""People, as the door finds them behind a token."""

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.errors import PermissionDenied
from mutx.resources.auth.models import LoginRow
from mutx.resources.workspaces.models import UserRow
from mutx.resources.workspaces.service import active_member
from mutx.services.identity.tokens import AccessClaims
from mutx.web.access import scopes_of


def person(user_id: str, workspace_id: str, roles: tuple[str, ...], email: str = "") -> Caller:
    """Somebody signed in with a token."""
    return Caller(
        workspace_id=workspace_id,
        principal_id=user_id,
        kind=PrincipalKind.PERSON,
        door=Door.HTTP,
        user_id=user_id,
        roles=roles,
        scopes=scopes_of(roles),
        method="jwt",
        email=email,
    )


def require_verified(user: UserRow, *, wanted: bool) -> None:
    """Raises PermissionDenied for an account whose address must be verified first."""
    if wanted and not user.is_email_verified:
        raise PermissionDenied("verify the account's e-mail address first; the link is in the message we sent")


class PersonDirectory:
    def __init__(self, session: AsyncSession, *, verified_email: bool) -> None:
        """`verified_email`: whoever has not proved their address is nobody."""
        self._session = session
        self._verified_email = verified_email

    async def signed_in(self, claims: AccessClaims) -> Caller | None:
        """The person a verified token stands for; None once the login was revoked or the membership ended."""
        login = await self._session.get(LoginRow, claims.family_id)
        if login is None or login.revoked_at is not None or login.user_id != claims.user_id:
            return None
        member = await active_member(self._session, claims.user_id, claims.workspace_id)
        if member is None:
            return None
        user = await self._session.get_one(UserRow, claims.user_id)
        require_verified(user, wanted=self._verified_email)
        return person(claims.user_id, claims.workspace_id, (member.role,), user.email)

    async def refreshed(self, caller: Caller) -> Caller | None:
        """The same person with today's role."""
        member = await active_member(self._session, caller.user_id, caller.workspace_id)
        if member is None or not await self._is_verified(caller.user_id):
            return None
        return replace(caller, roles=(member.role,), scopes=scopes_of((member.role,)))

    async def _is_verified(self, user_id: str) -> bool:
        return not self._verified_email or (await self._session.get_one(UserRow, user_id)).is_email_verified
