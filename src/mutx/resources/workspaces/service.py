"""What it means to own a workspace, and to work in one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.workspaces import Member, MemberPut, MemberSource, Role, Workspace, WorkspaceCreate, WorkspaceUpdate
from mutx.governance.types import Caller, PrincipalKind
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict, NotFound, PermissionDenied
from mutx.resources.workspaces.models import MembershipRow, UserRow, WorkspaceRow
from mutx.web.news import tell_audit

MAX_OWNED = 100
"""Workspaces that one person administers."""


async def create_personal(session: AsyncSession, user: UserRow) -> WorkspaceRow:
    """The workspace that comes with an account: its owner administers it and may approve their own agents' calls."""
    workspace = WorkspaceRow(
        name=f"{user.name}'s workspace", personal=True, own_approvals=True, created_at=user.created_at
    )
    session.add(workspace)
    await session.flush()
    session.add(MembershipRow(workspace_id=workspace.id, user_id=user.id, role=Role.ADMIN, created_at=user.created_at))
    await session.flush()
    return workspace


async def membership(session: AsyncSession, user_id: str, workspace_id: str | None) -> MembershipRow | None:
    """A user's membership in a workspace, or in their oldest one."""
    query = select(MembershipRow).where(MembershipRow.user_id == user_id)
    if workspace_id is not None:
        query = query.where(MembershipRow.workspace_id == workspace_id)
    return (await session.scalars(query.order_by(MembershipRow.created_at, MembershipRow.id).limit(1))).first()


async def active_member(session: AsyncSession, user_id: str, workspace_id: str) -> MembershipRow | None:
    """The membership of a user whose account is active."""
    query = (
        select(MembershipRow)
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .where(MembershipRow.user_id == user_id, MembershipRow.workspace_id == workspace_id, UserRow.is_active)
    )
    return (await session.scalars(query)).first()


async def allows_own_approvals(session: AsyncSession, workspace_id: str) -> bool:
    query = select(WorkspaceRow.own_approvals).where(WorkspaceRow.id == workspace_id)
    return bool(await session.scalar(query))


class Workspaces:
    """The workspaces a caller is a member of; changes only to the one the caller is signed in to."""

    def __init__(self, session: AsyncSession, caller: Caller, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._clock = clock
        self._now = to_datetime(clock.now())

    async def list(self, skip: int, limit: int) -> tuple[Sequence[Workspace], int]:
        total = await self._session.scalar(select(func.count()).select_from(self._mine().subquery()))
        rows = await self._session.execute(self._mine().offset(skip).limit(limit))
        return [_workspace(row, role) for row, role in rows], total or 0

    async def get(self, workspace_id: UUID) -> Workspace:
        found = (await self._session.execute(self._mine().where(WorkspaceRow.id == str(workspace_id)))).first()
        if found is None:
            raise NotFound(f"no workspace {workspace_id}")
        return _workspace(*found)

    async def create(self, wanted: WorkspaceCreate) -> Workspace:
        """One to share: nobody approves there what is asked in their own name. Raises PermissionDenied, Conflict."""
        if self._caller.kind is not PrincipalKind.PERSON:
            raise PermissionDenied("a person makes workspaces; sign in with `mutx login`")
        owned = self._mine().where(MembershipRow.role == Role.ADMIN)
        if (await self._session.scalar(select(func.count()).select_from(owned.subquery())) or 0) >= MAX_OWNED:
            raise Conflict(f"you administer {MAX_OWNED} workspaces already; use one of them")
        row = WorkspaceRow(name=wanted.name, personal=False, own_approvals=False, created_at=self._now)
        self._session.add(row)
        await self._session.flush()
        self._session.add(
            MembershipRow(workspace_id=row.id, user_id=self._caller.user_id, role=Role.ADMIN, created_at=self._now)
        )
        await self._session.flush()
        await self._tell("WORKSPACE_CREATED", created_id=row.id)
        return _workspace(row, Role.ADMIN)

    async def leave(self, workspace_id: UUID) -> None:
        """Raises Conflict for the last administrator."""
        workspace = await self._current(workspace_id)
        row = await membership(self._session, self._caller.user_id, workspace.id)
        if row is None:
            raise NotFound(f"you are no member of a workspace {workspace_id}")
        await self._refuse_last_admin(row)
        await self._session.delete(row)
        await self._tell("MEMBER_LEFT", member_id=row.user_id)

    async def update(self, workspace_id: UUID, wanted: WorkspaceUpdate) -> Workspace:
        row = await self._current(workspace_id)
        for name, value in wanted.model_dump(exclude_none=True).items():
            setattr(row, name, value)
        await self._session.flush()
        changed = {name: str(value) for name, value in wanted.model_dump(exclude_none=True).items()}
        await self._tell("WORKSPACE_CHANGED", **changed)
        return await self.get(workspace_id)

    async def members(self, workspace_id: UUID, skip: int, limit: int) -> tuple[Sequence[Member], int]:
        row = await self._current(workspace_id)
        total = await self._session.scalar(
            select(func.count()).select_from(MembershipRow).where(MembershipRow.workspace_id == row.id)
        )
        rows = await self._session.execute(self._members(row.id).offset(skip).limit(limit))
        return [_member(member, user) for member, user in rows], total or 0

    async def put_member(self, workspace_id: UUID, wanted: MemberPut) -> Member:
        workspace = await self._current(workspace_id)
        user = await self._session.scalar(select(UserRow).where(UserRow.email == wanted.email))
        if user is None:
            raise NotFound(f"nobody has an account for {wanted.email}; let them register first")
        row = await membership(self._session, user.id, workspace.id)
        if row is None:
            row = MembershipRow(
                workspace_id=workspace.id, user_id=user.id, role=wanted.role, created_at=to_datetime(self._clock.now())
            )
            self._session.add(row)
        elif wanted.role is not Role.ADMIN:
            await self._refuse_last_admin(row)
        row.role, row.source = wanted.role, MemberSource.MANUAL
        await self._session.flush()
        await self._tell("MEMBER_CHANGED", member_id=user.id, role=wanted.role)
        return _member(row, user)

    async def remove_member(self, workspace_id: UUID, user_id: UUID) -> None:
        workspace = await self._current(workspace_id)
        row = await membership(self._session, str(user_id), workspace.id)
        if row is None:
            raise NotFound(f"{user_id} is not a member of this workspace")
        await self._refuse_last_admin(row)
        await self._session.delete(row)
        await self._tell("MEMBER_REMOVED", member_id=row.user_id)

    async def _tell(self, what: str, **about: str) -> None:
        await tell_audit(self._session, self._caller, self._clock.now(), what, **about)

    async def _refuse_last_admin(self, row: MembershipRow) -> None:
        # Two administrators who demote each other at once take turns here, where the store lets them write at once.
        await self._session.execute(
            select(WorkspaceRow.id).where(WorkspaceRow.id == row.workspace_id).with_for_update()
        )
        others = await self._session.scalar(
            select(func.count())
            .select_from(MembershipRow)
            .where(
                MembershipRow.workspace_id == row.workspace_id,
                MembershipRow.role == Role.ADMIN,
                MembershipRow.user_id != row.user_id,
            )
        )
        if row.role == Role.ADMIN and not others:
            raise Conflict("this is the last administrator; make somebody else one first")

    async def _current(self, workspace_id: UUID) -> WorkspaceRow:
        row = await self._session.get(WorkspaceRow, self._caller.workspace_id)
        if row is None or row.id != str(workspace_id):
            raise NotFound(f"you are not signed in to a workspace {workspace_id}")
        return row

    def _mine(self) -> Select[WorkspaceRow, str]:
        return (
            select(WorkspaceRow, MembershipRow.role)
            .join(MembershipRow, MembershipRow.workspace_id == WorkspaceRow.id)
            .where(MembershipRow.user_id == self._caller.user_id)
            .order_by(WorkspaceRow.created_at, WorkspaceRow.id)
        )

    def _members(self, workspace_id: str) -> Select[MembershipRow, UserRow]:
        return (
            select(MembershipRow, UserRow)
            .join(UserRow, UserRow.id == MembershipRow.user_id)
            .where(MembershipRow.workspace_id == workspace_id)
            .order_by(MembershipRow.created_at, MembershipRow.id)
        )


def _workspace(row: WorkspaceRow, role: str) -> Workspace:
    fields: dict[str, Any] = {name: getattr(row, name) for name in ("id", "name", "personal", "own_approvals")}
    return Workspace(**fields, role=Role(role), created_at=row.created_at)


def _member(row: MembershipRow, user: UserRow) -> Member:
    return Member(
        user_id=UUID(user.id),
        email=user.email,
        name=user.name,
        role=Role(row.role),
        source=MemberSource(row.source),
        joined_at=row.created_at,
    )
