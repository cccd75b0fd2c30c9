"""From verified claims to a person: found, or made at the first sign-in, with the role that the claims give."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.workspaces import EmailAddress, MemberSource, Role
from mutx.kit.errors import Conflict, PermissionDenied, Unauthenticated
from mutx.resources.auth.directory import person
from mutx.resources.sso.models import SsoIdentityRow
from mutx.resources.workspaces.approvers import NO_MAIL
from mutx.resources.workspaces.models import MembershipRow, UserRow, WorkspaceRow
from mutx.resources.workspaces.service import create_personal, membership
from mutx.services.oidc.config import OidcConfig
from mutx.services.oidc.roles import has_role_claim, mapped_role
from mutx.web.news import tell_audit

MAX_SUBJECT = 255
ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)


class Admitted(Struct, frozen=True):
    """Somebody the provider vouches for, and their place in the organisation's workspace."""

    user: UserRow
    member: MembershipRow
    changed: bool
    """The role is another one than before."""


class SsoPeople:
    """The people of one provider. Reads with any session; `admit` needs one that writes."""

    def __init__(self, session: AsyncSession, config: OidcConfig, now: datetime) -> None:
        self._session = session
        self._config = config
        self._now = now

    async def known(self, claims: Mapping[str, Any]) -> Admitted | None:
        """Somebody who was here before and whose role is as the claims say; None: `admit` has to write something.

        Raises Unauthenticated for one whose account or membership ended.
        """
        found = await self._identity(claims)
        if found is None:
            return None
        admitted = await self._standing(found)
        return admitted if self._role(claims, admitted.member) == admitted.member.role else None

    async def admit(self, claims: Mapping[str, Any]) -> Admitted:
        """The person, with today's role. Raises Unauthenticated, Conflict."""
        found = await self._identity(claims)
        if found is None:
            return await self._first(claims)
        admitted = await self._standing(found)
        role = self._role(claims, admitted.member)
        if role == admitted.member.role:
            return admitted
        admitted.member.role, admitted.member.source = role, MemberSource.SSO
        await self._tell(admitted, "MEMBER_CHANGED", role=role)
        return Admitted(admitted.user, admitted.member, changed=True)

    def _role(self, claims: Mapping[str, Any], member: MembershipRow) -> str:
        """Claims that speak of roles decide; what an administrator assigned here stands where they name none of ours."""
        if not has_role_claim(claims):
            return member.role
        mapped = mapped_role(claims, self._config.role_map)
        return mapped or (member.role if member.source != MemberSource.SSO else Role.VIEWER)

    async def _identity(self, claims: Mapping[str, Any]) -> SsoIdentityRow | None:
        query = select(SsoIdentityRow).where(
            SsoIdentityRow.issuer == self._config.issuer, SsoIdentityRow.subject == _subject(claims)
        )
        return await self._session.scalar(query)

    async def _standing(self, identity: SsoIdentityRow) -> Admitted:
        user = await self._session.get_one(UserRow, identity.user_id)
        workspace = await self._workspace()
        member = None if workspace is None else await membership(self._session, user.id, workspace.id)
        if member is None or not user.is_active:
            raise Unauthenticated("you are no member of this organisation's workspace any more; ask an administrator")
        return Admitted(user, member, changed=False)

    async def _first(self, claims: Mapping[str, Any]) -> Admitted:
        workspace = await self._workspace() or await self._found_workspace()
        user = await self._linked(claims) or await self._made(claims)
        self._session.add(
            SsoIdentityRow(issuer=self._config.issuer, subject=_subject(claims), user_id=user.id, created_at=self._now)
        )
        member = await membership(self._session, user.id, workspace.id)
        if member is None:
            member = MembershipRow(
                workspace_id=workspace.id,
                user_id=user.id,
                role=mapped_role(claims, self._config.role_map) or Role.VIEWER,
                source=MemberSource.SSO,
                created_at=self._now,
            )
            self._session.add(member)
        await self._session.flush()
        admitted = Admitted(user, member, changed=True)
        await self._tell(admitted, "MEMBER_JOINED", role=member.role)
        return admitted

    async def _linked(self, claims: Mapping[str, Any]) -> UserRow | None:
        """The account of the same address, where both sides have verified it: else either could take the other's."""
        email = self._verified_email(claims)
        if email is None:
            return None
        user = await self._session.scalar(select(UserRow).where(UserRow.email == email))
        if user is None:
            return None
        if not user.is_email_verified:
            raise Conflict("there is an account for your e-mail address that never verified it; verify or delete it")
        if not user.is_active:
            raise Unauthenticated("this account is closed; ask an administrator")
        return user

    async def _made(self, claims: Mapping[str, Any]) -> UserRow:
        """An address that nobody verified is not taken: policies name reviewers by theirs."""
        email = self._verified_email(claims)
        digest = hashlib.sha256(f"{self._config.issuer} {_subject(claims)}".encode()).hexdigest()[:32]
        name = next((text for key in ("name", "preferred_username") if isinstance(text := claims.get(key), str)), "")
        user = UserRow(
            email=email or f"{digest}@{NO_MAIL}",
            name=name.strip()[:255] or "Somebody",
            password_hash=None,
            is_email_verified=True,  # by the provider; nobody reads an address in `NO_MAIL`
            created_at=self._now,
        )
        self._session.add(user)
        await self._session.flush()
        await create_personal(self._session, user)
        return user

    def _verified_email(self, claims: Mapping[str, Any]) -> str | None:
        email = claims.get("email")
        verified = claims.get("email_verified") is True or self._config.trust_email
        if not verified or email is None:
            return None
        try:
            return ADDRESS.validate_python(email)
        except ValidationError:
            return None

    async def _workspace(self) -> WorkspaceRow | None:
        """The organisation's: the one that is set, else the one of this issuer."""
        if self._config.workspace_id:
            found = await self._session.get(WorkspaceRow, self._config.workspace_id)
            if found is None:
                raise PermissionDenied("OIDC_WORKSPACE_ID names no workspace; ask the operator to correct it")
            return found
        return await self._session.scalar(select(WorkspaceRow).where(WorkspaceRow.sso_issuer == self._config.issuer))

    async def _found_workspace(self) -> WorkspaceRow:
        workspace = WorkspaceRow(
            name=self._config.provider,
            personal=False,
            own_approvals=False,
            sso_issuer=self._config.issuer,
            created_at=self._now,
        )
        self._session.add(workspace)
        await self._session.flush()
        return workspace

    async def _tell(self, admitted: Admitted, what: str, **about: str) -> None:
        await self._session.flush()
        who = person(admitted.user.id, admitted.member.workspace_id, (admitted.member.role,))
        await tell_audit(self._session, who, self._now.timestamp(), what, member_id=admitted.user.id, **about)


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise Unauthenticated("the identity provider names nobody; sign in again")
    return subject
