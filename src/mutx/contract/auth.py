"""Signing in and out."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from mutx.contract.base import Input, Message, Schema, Timestamp
from mutx.contract.operation import operation
from mutx.contract.workspaces import DisplayName, EmailAddress, Role

Password = Annotated[str, Field(max_length=1024)]
RefreshToken = Annotated[str, Field(max_length=512)]


class Registration(Input):
    email: EmailAddress
    name: DisplayName
    password: Password = Field(repr=False, description="12 to 256 characters.")
    verification_origin: str | None = None
    """Where the link of the verification mail leads."""


class Login(Input):
    email: EmailAddress
    password: Password = Field(repr=False)
    workspace_id: UUID | None = None
    """The workspace to work in; the oldest one of yours unless given."""


class LocalBootstrap(Input):
    name: DisplayName = "Local Operator"


class Refresh(Input):
    refresh_token: RefreshToken = Field(repr=False)
    workspace_id: UUID | None = None
    """Go on in another workspace of yours."""


class Logout(Input):
    refresh_token: RefreshToken | None = Field(default=None, repr=False)
    """The login to end; the one of the access token unless given."""


class Tokens(Schema):
    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)
    token_type: str = "bearer"  # noqa: S105 - a scheme, not a secret
    expires_in: int
    """Seconds until the access token expires."""


class Registered(Tokens):
    verification_email_sent: bool = False
    requires_email_verification: bool = False


class User(Schema):
    id: str
    email: str
    name: str
    plan: str
    created_at: Timestamp
    is_active: bool
    is_email_verified: bool = False
    workspace_id: str
    """The workspace this credential works in."""
    roles: list[Role] = Field(default_factory=list)
    scopes: list[str] = Field(default_factory=list)


class KeySet(Schema):
    """A JWK set (RFC 7517 §5)."""

    keys: list[dict[str, Any]]


@operation("POST", "/auth/register", public=True, status=201)
def register(body: Registration) -> Registered:
    """Create an account and its personal workspace, and sign in."""


@operation("POST", "/auth/login", public=True)
def login(body: Login) -> Tokens:
    """Sign in with e-mail address and password."""


@operation("POST", "/auth/local-bootstrap", public=True)
def local_bootstrap(body: LocalBootstrap) -> Tokens:
    """Sign in as the local operator, from the server's own machine only."""


@operation("POST", "/auth/refresh", public=True)
def refresh(body: Refresh) -> Tokens:
    """Exchange a refresh token for a new pair. A token that comes twice ends its login."""


@operation("POST", "/auth/logout", scope="auth:read")
def logout(body: Logout | None = None) -> Message:
    """End a login: its refresh tokens and its access tokens stop working at once."""


@operation("GET", "/auth/me", scope="auth:read")
def me() -> User:
    """Show who you are signed in as."""


@operation("GET", "/.well-known/jwks.json", public=True, prefix="")
def jwks() -> KeySet:
    """The public key that verifies access tokens."""
