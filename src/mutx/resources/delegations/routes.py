"""Routes of `contract.delegations`. No session dependency: a hand-off is decided first, and then written briefly."""

from uuid import UUID

from fastapi import APIRouter

from mutx.contract import delegations as contract
from mutx.contract.base import Limit, Page, Skip
from mutx.contract.delegations import Delegation, DelegationCreate, IssuedDelegation
from mutx.resources.delegations import views
from mutx.resources.delegations.service import HandOffs
from mutx.web.deps import AppServices, CurrentCaller
from mutx.web.serve import serve

router = APIRouter()


@serve(router, contract.create_delegation)
async def create_delegation(caller: CurrentCaller, app: AppServices, body: DelegationCreate) -> IssuedDelegation:
    return await HandOffs(app, caller).issue(body)


@serve(router, contract.list_delegations)
async def list_delegations(
    caller: CurrentCaller, app: AppServices, skip: Skip = 0, limit: Limit = 50
) -> Page[Delegation]:
    rows, total = await HandOffs(app, caller).page(skip, limit)
    return Page[Delegation].of([views.delegation(row) for row in rows], total, skip, limit)


@serve(router, contract.revoke_delegation)
async def revoke_delegation(caller: CurrentCaller, app: AppServices, delegation_id: UUID) -> None:
    await HandOffs(app, caller).revoke(delegation_id)
