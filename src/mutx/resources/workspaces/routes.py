"""The workspaces API."""

from uuid import UUID

from fastapi import APIRouter

from mutx.contract import workspaces as contract
from mutx.contract.base import Limit, Page, Skip
from mutx.contract.workspaces import (
    Invitation,
    InvitationAccept,
    InvitationCreate,
    InvitationCreated,
    Member,
    MemberPut,
    Workspace,
    WorkspaceCreate,
    WorkspaceUpdate,
)
from mutx.resources.workspaces.invitations import Invitations
from mutx.resources.workspaces.service import Workspaces
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession
from mutx.web.serve import serve

router = APIRouter()


@serve(router, contract.list_workspaces)
async def list_workspaces(
    caller: CurrentCaller, session: ReadSession, app: AppServices, skip: Skip = 0, limit: Limit = 50
) -> Page[Workspace]:
    items, total = await Workspaces(session, caller, app.clock).list(skip, limit)
    return Page[Workspace].of(items, total, skip, limit)


@serve(router, contract.create_workspace)
async def create_workspace(
    caller: CurrentCaller, session: WriteSession, app: AppServices, body: WorkspaceCreate
) -> Workspace:
    return await Workspaces(session, caller, app.clock).create(body)


@serve(router, contract.accept_invitation)
async def accept_invitation(
    caller: CurrentCaller, session: WriteSession, app: AppServices, body: InvitationAccept
) -> Workspace:
    return await Invitations(session, caller, app.clock).accept(body.token, app.auth.secrets)


@serve(router, contract.get_workspace)
async def get_workspace(caller: CurrentCaller, session: ReadSession, app: AppServices, workspace_id: UUID) -> Workspace:
    return await Workspaces(session, caller, app.clock).get(workspace_id)


@serve(router, contract.update_workspace)
async def update_workspace(
    caller: CurrentCaller, session: WriteSession, app: AppServices, workspace_id: UUID, body: WorkspaceUpdate
) -> Workspace:
    return await Workspaces(session, caller, app.clock).update(workspace_id, body)


@serve(router, contract.list_members)
async def list_members(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    workspace_id: UUID,
    skip: Skip = 0,
    limit: Limit = 50,
) -> Page[Member]:
    items, total = await Workspaces(session, caller, app.clock).members(workspace_id, skip, limit)
    return Page[Member].of(items, total, skip, limit)


@serve(router, contract.put_member)
async def put_member(
    caller: CurrentCaller, session: WriteSession, app: AppServices, workspace_id: UUID, body: MemberPut
) -> Member:
    member = await Workspaces(session, caller, app.clock).put_member(workspace_id, body)
    await app.revocations.revoke(session)
    return member


@serve(router, contract.remove_member)
async def remove_member(
    caller: CurrentCaller, session: WriteSession, app: AppServices, workspace_id: UUID, user_id: UUID
) -> None:
    await Workspaces(session, caller, app.clock).remove_member(workspace_id, user_id)
    await app.revocations.revoke(session)


@serve(router, contract.leave_workspace)
async def leave_workspace(caller: CurrentCaller, session: WriteSession, app: AppServices, workspace_id: UUID) -> None:
    await Workspaces(session, caller, app.clock).leave(workspace_id)
    await app.revocations.revoke(session)


@serve(router, contract.list_invitations)
async def list_invitations(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    workspace_id: UUID,
    skip: Skip = 0,
    limit: Limit = 50,
) -> Page[Invitation]:
    items, total = await Invitations(session, caller, app.clock).invitations(workspace_id, skip, limit)
    return Page[Invitation].of(items, total, skip, limit)


@serve(router, contract.create_invitation)
async def create_invitation(
    caller: CurrentCaller, session: WriteSession, app: AppServices, workspace_id: UUID, body: InvitationCreate
) -> InvitationCreated:
    invitations = Invitations(session, caller, app.clock)
    return await invitations.invite(workspace_id, body, app.auth.secrets, mailed=app.auth.rules.mail)


@serve(router, contract.delete_invitation)
async def delete_invitation(
    caller: CurrentCaller, session: WriteSession, app: AppServices, workspace_id: UUID, invitation_id: UUID
) -> None:
    await Invitations(session, caller, app.clock).take_back(workspace_id, invitation_id)
