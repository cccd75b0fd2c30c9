"""Whose installation this is: only they may have programs run on its machine, or see what those print."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.types import Caller, PrincipalKind
from mutx.kit.errors import PermissionDenied
from mutx.resources.auth.service import LOCAL_OPERATOR
from mutx.resources.workspaces.models import UserRow

PEOPLE = frozenset({PrincipalKind.PERSON, PrincipalKind.API_KEY})


async def require_internal(session: AsyncSession, caller: Caller, domains: Collection[str]) -> None:
    """Raises PermissionDenied for whoever is neither verified under one of `domains` nor this machine's own operator."""
    user = await session.get(UserRow, caller.user_id) if caller.kind in PEOPLE else None
    if user is None or not user.is_active or not user.is_email_verified:
        raise PermissionDenied(
            "supervision is for people of this installation; verify the account's e-mail address first"
        )
    domain = user.email.rpartition("@")[2].lower()
    if user.email != LOCAL_OPERATOR and domain not in domains:
        raise PermissionDenied(
            "supervision is for people of this installation: INTERNAL_USER_EMAIL_DOMAINS does not name your address's domain"
        )
