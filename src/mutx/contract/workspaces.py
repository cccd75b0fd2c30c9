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
