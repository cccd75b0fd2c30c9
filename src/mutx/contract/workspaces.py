"""Workspaces: the tenant that everything else belongs to, and who works in it."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from mutx.contract.base import Input, Limit, Page, Schema, Skip, Timestamp
from mutx.contract.operation import operation


class Role(StrEnum):
    """What a member may do; the scopes behind each are in `mutx.web.access`."""

    ADMIN = "ADMIN"
    AUDIT_ADMIN = "AUDIT_ADMIN"
    DEVELOPER = "DEVELOPER"
    VIEWER = "VIEWER"


class MemberSource(StrEnum):
    """Who gave a member their role."""

    MANUAL = "manual"
    SSO = "sso"
    """The identity provider; it may change it at any sign-in."""


EmailAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$"),
    AfterValidator(str.lower),
]
"""Shaped like an address; only a message sent to it proves more."""

DisplayName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]


class Workspace(Schema):
    id: UUID
    name: str
    personal: bool
    """Made with its owner's account."""
    own_approvals: bool
    """A person may approve what their own agent asks; receipts say so."""
    role: Role
    """The caller's."""
    created_at: Timestamp


class WorkspaceUpdate(Input):
    name: DisplayName | None = None
    own_approvals: bool | None = None


class WorkspaceCreate(Input):
    name: DisplayName


class Invitation(Schema):
    id: UUID
    email: str
    role: Role
    created_at: Timestamp
    expires_at: Timestamp


class InvitationCreate(Input):
    email: EmailAddress
    role: Role


class InvitationCreated(Invitation):
    token: str = Field(repr=False)
    """Whoever is to join signs in and accepts with it. It is shown this once."""
    mailed: bool = False
    """A mail with a token of its own goes to the address; else hand over this one."""


class InvitationAccept(Input):
    token: str = Field(max_length=128, repr=False)


class Member(Schema):
    user_id: UUID
    email: str
    name: str
    role: Role
    source: MemberSource = MemberSource.MANUAL
    joined_at: Timestamp


class MemberPut(Input):
    email: EmailAddress = Field(description="Of somebody who has an account.")
    role: Role


@operation("GET", "/workspaces", scope="workspaces:read")
def list_workspaces(skip: Skip = 0, limit: Limit = 50) -> Page[Workspace]:
    """List the workspaces you are a member of, the oldest first."""


@operation("POST", "/workspaces", scope="workspaces:write", status=201)
def create_workspace(body: WorkspaceCreate) -> Workspace:
    """Make a workspace to share; you administer it. Sign in to it to work there."""


@operation("POST", "/workspaces/invitations/accept", scope="workspaces:read")
def accept_invitation(body: InvitationAccept) -> Workspace:
    """Join the workspace that you were invited to, with the address that you were invited by."""


@operation("GET", "/workspaces/{workspace_id}", scope="workspaces:read")
def get_workspace(workspace_id: UUID) -> Workspace:
    """Show a workspace you are a member of."""


@operation("PATCH", "/workspaces/{workspace_id}", scope="workspaces:admin")
def update_workspace(workspace_id: UUID, body: WorkspaceUpdate) -> Workspace:
    """Rename the workspace you are signed in to, or change who may approve."""


@operation("GET", "/workspaces/{workspace_id}/members", scope="workspaces:read")
def list_members(workspace_id: UUID, skip: Skip = 0, limit: Limit = 50) -> Page[Member]:
    """List the members of the workspace you are signed in to."""


@operation("PUT", "/workspaces/{workspace_id}/members", scope="workspaces:admin")
def put_member(workspace_id: UUID, body: MemberPut) -> Member:
    """Add a member, or give one another role."""


@operation("DELETE", "/workspaces/{workspace_id}/members/{user_id}", scope="workspaces:admin")
def remove_member(workspace_id: UUID, user_id: UUID) -> None:
    """Remove a member. The last administrator stays."""


@operation("POST", "/workspaces/{workspace_id}/leave", scope="workspaces:read")
def leave_workspace(workspace_id: UUID) -> None:
    """Leave the workspace you are signed in to. The last administrator stays."""


@operation("GET", "/workspaces/{workspace_id}/invitations", scope="workspaces:admin")
def list_invitations(workspace_id: UUID, skip: Skip = 0, limit: Limit = 50) -> Page[Invitation]:
    """List who was invited and has not come yet."""


@operation("POST", "/workspaces/{workspace_id}/invitations", scope="workspaces:admin", status=201)
def create_invitation(workspace_id: UUID, body: InvitationCreate) -> InvitationCreated:
    """Invite somebody by address, whether they have an account or not."""


@operation("DELETE", "/workspaces/{workspace_id}/invitations/{invitation_id}", scope="workspaces:admin")
def delete_invitation(workspace_id: UUID, invitation_id: UUID) -> None:
    """Take an invitation back."""
