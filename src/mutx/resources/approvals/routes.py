"""Routes of `contract.approvals`. No write session: the ledger does its own writing."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.sse import ServerSentEvent

from mutx.contract import approvals as contract
from mutx.contract.approvals import (
    Approval,
    ApprovalCreate,
    ApprovalDetail,
    ApprovalList,
    ApprovalResolve,
    ApprovalState,
    StandingGrant,
)
from mutx.contract.base import Limit, Skip
from mutx.governance.answer import GrantSpec
from mutx.governance.turn import Verdict
from mutx.governance.types import Caller, ToolCall
from mutx.resources.approvals import views
from mutx.resources.approvals.follow import changes, until_resolved
from mutx.resources.approvals.service import Approvals
from mutx.web.deps import AppServices, CurrentCaller
from mutx.web.serve import serve
from mutx.web.services import Services

router = APIRouter()


def _approvals(app: Services, caller: Caller) -> Approvals:
    return Approvals(app.pipeline, app.ledger, caller)


async def _existing(caller: CurrentCaller, app: AppServices, request_id: str) -> str:
    """A stream has answered 200 by the time it begins: what it is about is looked up before. Raises NotFound."""
    return (await _approvals(app, caller).get(request_id)).id


Existing = Annotated[str, Depends(_existing)]


@serve(router, contract.list_approvals)
async def list_approvals(
    caller: CurrentCaller,
    app: AppServices,
    status: ApprovalState | None = None,
    agent_id: str | None = None,
    skip: Skip = 0,
    limit: Limit = 50,
) -> ApprovalList:
    approvals, now = _approvals(app, caller), app.clock.now()
    found, total = await approvals.page(status, agent_id, skip, limit)
    items = [await approvals.view(request, now) for request in found]
    return ApprovalList(items=items, total=total, skip=skip, limit=limit, status=status, agent_id=agent_id)


@serve(router, contract.create_approval)
async def create_approval(caller: CurrentCaller, app: AppServices, body: ApprovalCreate) -> Approval:
    approvals = _approvals(app, caller)
    call = ToolCall(
        tool_name=body.action_type, tool_args=body.payload, agent_id=body.agent_id, session_id=body.session_id
    )
    return await approvals.view(await approvals.ask(call), app.clock.now())


@serve(router, contract.stream_approvals)
async def stream_approvals(caller: CurrentCaller, app: AppServices) -> AsyncIterator[ServerSentEvent]:
    async for event in changes(_approvals(app, caller), app.bus, app.clock):
        yield event


@serve(router, contract.list_grants)
async def list_grants(
    caller: CurrentCaller, app: AppServices, skip: Skip = 0, limit: Limit = 50
) -> list[StandingGrant]:
    return [views.standing_grant(grant) for grant in await _approvals(app, caller).grants(skip, limit)]


@serve(router, contract.revoke_grant)
async def revoke_grant(caller: CurrentCaller, app: AppServices, grant_id: str) -> None:
    await _approvals(app, caller).revoke_grant(grant_id, app.clock.now())


@serve(router, contract.get_approval)
async def get_approval(caller: CurrentCaller, app: AppServices, request_id: str) -> ApprovalDetail:
    return await _approvals(app, caller).detail(request_id, app.clock.now())


@serve(router, contract.wait_approval)
async def wait_approval(
    caller: CurrentCaller, app: AppServices, existing: Existing, request_id: str, seconds: float = 300.0
) -> AsyncIterator[ServerSentEvent]:
    async for event in until_resolved(_approvals(app, caller), app.bus, app.clock, existing, seconds):
        yield event


@serve(router, contract.approve_approval)
async def approve_approval(
    caller: CurrentCaller, app: AppServices, request_id: str, body: ApprovalResolve | None = None
) -> Approval:
    return await _resolve(app, caller, request_id, Verdict.APPROVE, body)


@serve(router, contract.reject_approval)
async def reject_approval(
    caller: CurrentCaller, app: AppServices, request_id: str, body: ApprovalResolve | None = None
) -> Approval:
    return await _resolve(app, caller, request_id, Verdict.DENY, body)


async def _resolve(
    app: Services, caller: Caller, request_id: str, verdict: Verdict, body: ApprovalResolve | None
) -> Approval:
    body = body or ApprovalResolve()
    approvals = _approvals(app, caller)
    resolved = await approvals.resolve(
        request_id, verdict, comment=body.comment or "", reviewer=body.approver, grant=_grant(body)
    )
    return await approvals.view(resolved, app.clock.now())


def _grant(body: ApprovalResolve) -> GrantSpec | None:
    if body.grant_ttl_seconds is None and body.grant_uses is None:
        return None
    defaults = GrantSpec()
    return GrantSpec(ttl_seconds=body.grant_ttl_seconds or defaults.ttl_seconds, uses=body.grant_uses or defaults.uses)
