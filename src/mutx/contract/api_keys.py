"""API keys: for programs that act for a person, and for agents that act for themselves."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from mutx.contract.base import Input, Limit, Page, Schema, Skip, Timestamp
from mutx.contract.operation import operation
from mutx.contract.workspaces import DisplayName, Role

Scope = Annotated[str, StringConstraints(pattern=r"^([a-z_]+:)?(read|act|write|admin)$", max_length=64)]
"""`read`, `write`, `admin`, or one of them for a family: `agents:read`."""


Lane = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
MAX_LANE_DAYS = 90


class KeyKind(StrEnum):
    PERSON = "person"
    AGENT = "agent"


class ApiKey(Schema):
    id: UUID
    name: str
    kind: KeyKind
    hint: str
    """How the key begins."""
    scopes: list[str]
    agent_id: UUID | None = None
    role: Role | None = None
    """What the key may do at most, whatever its owner may."""
    lane: str | None = None
    """What a coding agent's key is for."""
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used: Timestamp | None
    is_active: bool


class ApiKeyCreate(Input):
    name: DisplayName
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Unless given, it holds until it is revoked."""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=32)] = Field(default=["read", "write"])
    """What the key may do at most; never more than its owner."""
    role: Role | None = None
    """A role that the key never exceeds; its owner's of the moment unless given."""
    lane: Lane | None = None
    """Makes it a key of a coding agent: it needs a role, ends after 90 days at most, and never approves."""

    @model_validator(mode="after")
    def _lane_is_bounded(self) -> Self:
        if self.lane is not None and (self.role is None or (self.expires_in_days or 0) > MAX_LANE_DAYS):
            raise ValueError(f"a lane needs a role, and a key of it ends after {MAX_LANE_DAYS} days at most")
        return self


class ApiKeyRotate(Input):
    overlap_seconds: Annotated[int, Field(ge=0, le=604_800)] = 0
    """How long the old secret goes on working."""


class ApiKeyCreated(ApiKey):
    key: str = Field(repr=False)
    """The secret. It is shown this once."""


@operation("GET", "/api-keys", scope="api_keys:read")
def list_api_keys(skip: Skip = 0, limit: Limit = 50) -> Page[ApiKey]:
    """List your keys, newest first; administrators see all keys of the workspace."""


@operation("POST", "/api-keys", scope="api_keys:write", status=201)
def create_api_key(body: ApiKeyCreate) -> ApiKeyCreated:
    """Create a key. The answer is the only place its secret ever stands."""


@operation("GET", "/api-keys/{key_id}", scope="api_keys:read")
def get_api_key(key_id: UUID) -> ApiKey:
    """Show one key, without its secret."""


@operation("DELETE", "/api-keys/{key_id}", scope="api_keys:write")
def delete_api_key(key_id: UUID) -> None:
    """Revoke a key. It stops working at once."""


@operation("POST", "/api-keys/{key_id}/rotate", scope="api_keys:write")
def rotate_api_key(key_id: UUID, body: ApiKeyRotate | None = None) -> ApiKeyCreated:
    """Give a key a new secret. The old one stops at once, or after the overlap asked for."""
