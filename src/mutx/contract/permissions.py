"""Permissions: what a member, a key or a role may not do, on an agent or a tool, although their role would let them."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from mutx.contract.base import Input, Limit, Page, Schema, Skip, Timestamp
from mutx.contract.operation import operation

NamePattern = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""`*` stands for any characters."""


class PermissionEffect(StrEnum):
    ALLOW = "allow"
    """This and, for the same principal and verb, nothing that is not allowed as well."""
    DENY = "deny"


class PermissionVerb(StrEnum):
    ACT = "act"
    APPROVE = "approve"
    MANAGE = "manage"


class PrincipalType(StrEnum):
    USER = "user"
    """A member, all keys of theirs and all agents that act for them."""
    API_KEY = "api_key"
    """A key, or an agent's own key."""
    ROLE = "role"


class Permission(Schema):
    id: UUID
    effect: PermissionEffect
    verb: PermissionVerb
    principal_type: PrincipalType
    principal: str
    agent: str
    tool: str
    created_at: Timestamp


class PermissionCreate(Input):
    effect: PermissionEffect
    verb: PermissionVerb
    principal_type: PrincipalType
    principal: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """A member's id, a key's id, or a role."""
    agent: NamePattern = Field(default="*", description="Which agents: an id, or a pattern with `*`.")
    tool: NamePattern = Field(default="*", description="Which tools: a name, or a pattern with `*`.")


@operation("GET", "/permissions", scope="permissions:read")
def list_permissions(skip: Skip = 0, limit: Limit = 50) -> Page[Permission]:
    """List what is granted and denied in the workspace, the oldest first."""


@operation("POST", "/permissions", scope="permissions:admin", status=201)
def create_permission(body: PermissionCreate) -> Permission:
    """Grant or deny. It counts from the next request on, and never gives more than the role does."""


@operation("DELETE", "/permissions/{permission_id}", scope="permissions:admin")
def delete_permission(permission_id: UUID) -> None:
    """Take a grant or a denial back."""
