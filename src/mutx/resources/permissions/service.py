"""What it means to narrow a principal."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.permissions import PermissionCreate, PermissionVerb, PrincipalType
from mutx.contract.workspaces import Role
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict, InputError, NotFound
from mutx.resources.api_keys.models import ApiKeyRow
from mutx.resources.permissions.models import PermissionRow
from mutx.resources.workspaces.service import membership
from mutx.web.news import tell_audit

MAX_PERMISSIONS = 500
"""Of one workspace: they are read with every verification of a credential."""


class Permissions:
    """Those of the caller's workspace."""

    def __init__(self, session: AsyncSession, caller: Caller, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._now = to_datetime(clock.now())

    async def list(self, skip: int, limit: int) -> tuple[Sequence[PermissionRow], int]:
        query = self._mine().order_by(PermissionRow.created_at, PermissionRow.id)
        return (await self._session.scalars(query.offset(skip).limit(limit))).all(), await self._count()

    async def create(self, wanted: PermissionCreate) -> PermissionRow:
        """Raises NotFound for a principal that is none of this workspace, InputError, Conflict."""
        if wanted.verb is PermissionVerb.MANAGE and wanted.tool != "*":
            raise InputError("`manage` is about agents; leave the tool out")
        await self._require_principal(wanted)
        if await self._count() >= MAX_PERMISSIONS:
            raise Conflict(f"a workspace has {MAX_PERMISSIONS} permissions at most; use patterns, or a role")
        row = PermissionRow(workspace_id=self._caller.workspace_id, created_at=self._now, **wanted.model_dump())
        self._session.add(row)
        await self._tell("PERMISSION_CREATED", row)
        return row

    async def delete(self, permission_id: UUID) -> None:
        row = await self._session.scalar(self._mine().where(PermissionRow.id == str(permission_id)))
        if row is None:
            raise NotFound(f"no permission {permission_id}")
        await self._session.delete(row)
        await self._tell("PERMISSION_DELETED", row)

    async def _require_principal(self, wanted: PermissionCreate) -> None:
        workspace_id, name = self._caller.workspace_id, wanted.principal
        if wanted.principal_type is PrincipalType.ROLE:
            found = name in Role.__members__
        elif wanted.principal_type is PrincipalType.USER:
            found = await membership(self._session, name, workspace_id) is not None
        else:
            key = select(ApiKeyRow.id).where(ApiKeyRow.id == name, ApiKeyRow.workspace_id == workspace_id)
            found = await self._session.scalar(key) is not None
        if not found:
            raise NotFound(f"no {wanted.principal_type.value} {name} in this workspace")

    async def _count(self) -> int:
        return await self._session.scalar(select(func.count()).select_from(self._mine().subquery())) or 0

    def _mine(self) -> Select[PermissionRow]:
        return select(PermissionRow).where(PermissionRow.workspace_id == self._caller.workspace_id)

    async def _tell(self, what: str, row: PermissionRow) -> None:
        await self._session.flush()
        about = {name: str(getattr(row, name)) for name in ("effect", "verb", "principal", "agent", "tool")}
        await tell_audit(self._session, self._caller, self._now.timestamp(), what, permission_id=row.id, **about)
