"""Routes of `contract.permissions`."""

from uuid import UUID

from fastapi import APIRouter

from mutx.contract import permissions as contract
from mutx.contract.base import Limit, Page, Skip
from mutx.contract.permissions import Permission, PermissionCreate
from mutx.resources.permissions.service import Permissions
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession
from mutx.web.serve import serve

router = APIRouter()


@serve(router, contract.list_permissions)
async def list_permissions(
    caller: CurrentCaller, session: ReadSession, app: AppServices, skip: Skip = 0, limit: Limit = 50
) -> Page[Permission]:
    items, total = await Permissions(session, caller, app.clock).list(skip, limit)
    return Page[Permission].of(items, total, skip, limit)


@serve(router, contract.create_permission)
async def create_permission(
    caller: CurrentCaller, session: WriteSession, app: AppServices, body: PermissionCreate
) -> Permission:
    row = await Permissions(session, caller, app.clock).create(body)
    await app.revocations.revoke(session)
    return Permission.model_validate(row)


@serve(router, contract.delete_permission)
async def delete_permission(
    caller: CurrentCaller, session: WriteSession, app: AppServices, permission_id: UUID
) -> None:
    await Permissions(session, caller, app.clock).delete(permission_id)
    await app.revocations.revoke(session)
