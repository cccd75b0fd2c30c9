"""Signing in and out, and getting back in."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from mutx.contract.base import Input, Message, Schema, Timestamp
from mutx.contract.operation import operation
from mutx.contract.workspaces import DisplayName, EmailAddress, Role

Password = Annotated[str, Field(max_length=1024)]
RefreshToken = Annotated[str, Field(max_length=4096)]
MailedToken = Annotated[str, Field(max_length=512)]
Origin = Annotated[str, StringConstraints(max_length=300, pattern=r"^https?://[^/?#@\s]+/?$")]
"""Scheme, host and port of a page of ours; the server knows which it may name in a mail."""

COOKIE = "Put the refresh token into a cookie that no script can read; for pages of this server's own origins."


class Registration(Input):
    email: EmailAddress
    name: DisplayName
    password: Password = Field(repr=False, description="At least 12 characters, at most 256.")
    verification_origin: Origin | None = None
    """Where the link of the verification mail leads."""
    cookie: bool = Field(default=False, description=COOKIE)


class Login(Input):
    email: EmailAddress
    password: Password = Field(repr=False)
    workspace_id: UUID | None = None
    """The workspace to work in; the oldest one of yours unless given."""
    cookie: bool = Field(default=False, description=COOKIE)


class LocalBootstrap(Input):
    name: DisplayName = "Local Operator"


class Refresh(Input):
    refresh_token: RefreshToken | None = Field(default=None, repr=False)
    """The one in the cookie unless given; its successor goes where it came from."""
    workspace_id: UUID | None = None
    """Go on in another workspace of yours."""


class Logout(Input):
    refresh_token: RefreshToken | None = Field(default=None, repr=False)
    """The login to end; the one of the access token unless given."""


class ForgotPassword(Input):
    email: EmailAddress
    email_link_origin: Origin | None = None
    """Where the link of the mail leads."""


class ResetPassword(Input):
    token: MailedToken = Field(repr=False)
    new_password: Password = Field(repr=False)


class VerifyEmail(Input):
    token: MailedToken = Field(repr=False)


class ResendVerification(Input):
    email: EmailAddress
    verification_origin: Origin | None = None
    """Where the link of the mail leads."""


class Tokens(Schema):
    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)
    """Empty where it went into a cookie."""
    token_type: str = "bearer"  # noqa: S105 - a scheme, not a secret
    expires_in: int
    """Seconds until the access token expires."""


class Registered(Tokens):
    """The tokens are empty while the e-mail address must be verified first."""

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


@operation("POST", "/auth/forgot-password", public=True)
def forgot_password(body: ForgotPassword) -> Message:
    """Have a link to a new password mailed. The answer is the same whether or not there is such an account."""


@operation("POST", "/auth/reset-password", public=True)
def reset_password(body: ResetPassword) -> Message:
    """Set a new password with a mailed token. It works once, and every login of the account ends."""


@operation("POST", "/auth/verify-email", public=True)
def verify_email(body: VerifyEmail) -> Message:
    """Prove with a mailed token that an e-mail address is yours. It works once."""


@operation("POST", "/auth/resend-verification", public=True)
def resend_verification(body: ResendVerification) -> Message:
    """Have the verification mail sent again. The answer is the same whether or not there is such an account."""


@operation("GET", "/.well-known/jwks.json", public=True, prefix="")
def jwks() -> KeySet:
    """The public keys that verify access tokens."""
