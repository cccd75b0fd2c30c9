"""Single sign-on: through the OpenID provider that the installation is set up for."""

from typing import Annotated

from pydantic import Field

from mutx.contract.auth import Tokens
from mutx.contract.base import Schema
from mutx.contract.operation import operation

Code = Annotated[str, Field(max_length=4096)]
Short = Annotated[str, Field(max_length=512)]


class SsoProvider(Schema):
    provider: str
    """What stands in the addresses below."""
    issuer: str


class SsoProviders(Schema):
    providers: list[SsoProvider]
    """None where single sign-on is not set up."""


class SsoStart(Schema):
    authorization_url: str
    """Where the browser goes now."""
    expires_in: int
    """Seconds in which it has to come back."""


class SsoTokens(Tokens):
    workspace_id: str
    """The workspace that this sign-in works in."""


@operation("GET", "/auth/sso", public=True)
def list_sso_providers() -> SsoProviders:
    """List where you can sign in from."""


@operation("GET", "/auth/sso/{provider}", public=True)
def start_sso(provider: str) -> SsoStart:
    """Begin to sign in through a provider. The cookie that comes along binds the sign-in to this browser."""


@operation("GET", "/auth/sso/{provider}/callback", public=True)
def finish_sso(
    provider: str,
    state: Short = "",
    code: Code = "",
    error: Short = "",
    error_description: Code = "",
) -> SsoTokens:
    """Come back from the provider and get tokens. An account is made for who comes for the first time."""
