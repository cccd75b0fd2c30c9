"""Inviting people by address, and joining."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Select, func, or_, select

from mutx.contract.workspaces import Invitation, InvitationCreate, InvitationCreated, MemberSource, Workspace
from mutx.governance.types import PrincipalKind
from mutx.kit.errors import Conflict, NotFound, PermissionDenied
from mutx.kit.ids import new_token
from mutx.resources.workspaces.models import InvitationRow, MembershipRow
from mutx.resources.workspaces.service import Workspaces, membership
from mutx.services.identity.secrets import SecretHasher

PREFIX = "mutx_invite_"
DAYS = 7
MAX_OPEN = 200
"""Invitations of one workspace that nobody has answered yet."""


class Invitations(Workspaces):
    """Of the workspace the caller is signed in to; anybody may accept one that is theirs."""

    async def invitations(self, workspace_id: UUID, skip: int, limit: int) -> tuple[Sequence[Invitation], int]:
        row = await self._current(workspace_id)
        query = self._open(row.id)
        total = await self._session.scalar(select(func.count()).select_from(query.subquery()))
        ordered = query.order_by(InvitationRow.created_at, InvitationRow.id)
        rows = (await self._session.scalars(ordered.offset(skip).limit(limit))).all()
        return [Invitation.model_validate(found) for found in rows], total or 0

    async def invite(
        self, workspace_id: UUID, wanted: InvitationCreate, secrets: SecretHasher, *, mailed: bool
    ) -> InvitationCreated:
        """`mailed`: the address gets a mail as well. Raises Conflict where too many wait already."""
        workspace = await self._current(workspace_id)
        waiting = await self._session.scalar(select(func.count()).select_from(self._open(workspace.id).subquery()))
        if (waiting or 0) >= MAX_OPEN:
            raise Conflict(f"{MAX_OPEN} invitations are open; take some back first")
        token, now = PREFIX + new_token(32), self._now
        row = InvitationRow(
            workspace_id=workspace.id,
            email=wanted.email,
            role=wanted.role,
            digest=secrets.digest(token),
            mail_wanted_at=now if mailed else None,
            created_at=now,
            expires_at=now + timedelta(days=DAYS),
        )
        self._session.add(row)
        await self._session.flush()
        await self._tell("MEMBER_INVITED", invitation_id=row.id, role=wanted.role)
        return InvitationCreated(**dict(Invitation.model_validate(row)), token=token, mailed=mailed)

    async def take_back(self, workspace_id: UUID, invitation_id: UUID) -> None:
        workspace = await self._current(workspace_id)
        found = self._open(workspace.id).where(InvitationRow.id == str(invitation_id))
        row = await self._session.scalar(found)
        if row is None:
            raise NotFound(f"no invitation {invitation_id}")
        await self._session.delete(row)
        await self._tell("INVITATION_DELETED", invitation_id=row.id)

    async def accept(self, token: str, secrets: SecretHasher) -> Workspace:
        """Once, by a person whose account has the invited address. Raises NotFound for every other token."""
        if self._caller.kind is not PrincipalKind.PERSON:
            raise PermissionDenied("a person accepts an invitation; sign in with `mutx login`")
        digest = secrets.digest(token)
        query = select(InvitationRow).where(or_(InvitationRow.digest == digest, InvitationRow.mail_digest == digest))
        row = await self._session.scalar(query.with_for_update())
        if row is None or row.expires_at <= self._now or row.email != self._caller.email:
            raise NotFound("there is no such invitation for your address; ask for another one")
        if await membership(self._session, self._caller.user_id, row.workspace_id) is not None:
            raise Conflict("you are a member of this workspace already")
        member = MembershipRow(
            workspace_id=row.workspace_id,
            user_id=self._caller.user_id,
            role=row.role,
            source=MemberSource.MANUAL,
            created_at=self._now,
        )
        self._session.add(member)
        await self._session.delete(row)
        there = Invitations(self._session, replace(self._caller, workspace_id=row.workspace_id), self._clock)
        await there._tell("MEMBER_JOINED", member_id=self._caller.user_id, role=row.role)
        return await self.get(UUID(row.workspace_id))

    def _open(self, workspace_id: str) -> Select[InvitationRow]:
        return select(InvitationRow).where(
            InvitationRow.workspace_id == workspace_id, InvitationRow.expires_at > self._now
        )
