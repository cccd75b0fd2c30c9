"""The limits of one caller, as the door puts them on it."""

from msgspec.structs import replace
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.permissions import PermissionEffect, PrincipalType
from mutx.governance.types import AccessLimit, Caller, LimitedVerb
from mutx.resources.permissions.models import PermissionRow


async def limited(session: AsyncSession, caller: Caller) -> Caller:
    """The caller with every grant and denial that is about it: as this member, as this key, in this role."""

    def about(kind: PrincipalType, *names: str) -> ColumnElement[bool]:
        return and_(PermissionRow.principal_type == kind, PermissionRow.principal.in_(names))

    mine = or_(
        about(PrincipalType.USER, caller.user_id),
        about(PrincipalType.API_KEY, caller.principal_id),
        about(PrincipalType.ROLE, *caller.roles),
    )
    query = select(PermissionRow).where(PermissionRow.workspace_id == caller.workspace_id, mine)
    rows = (await session.scalars(query.order_by(PermissionRow.created_at, PermissionRow.id))).all()
    limits = tuple(
        AccessLimit(row.id, row.effect == PermissionEffect.ALLOW, LimitedVerb(row.verb), row.agent, row.tool)
        for row in rows
    )
    return replace(caller, limits=limits) if limits or caller.limits else caller
