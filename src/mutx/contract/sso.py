"""Single sign-on: through the OpenID provider that the installation is set up for."""

from typing import Annotated

from pydantic import Field, StringConstraints

from mutx.contract.auth import COOKIE, Tokens
from mutx.contract.base import Input, Schema
from mutx.contract.operation import operation

Code = Annotated[str, Field(max_length=4096)]
Short = Annotated[str, Field(max_length=512)]
State = Annotated[str, StringConstraints(max_length=128, pattern=r"^[!-~]*$")]
PageUrl = Annotated[
    str, StringConstraints(max_length=512, pattern=r"^https?://[A-Za-z0-9.:\[\]-]+([/?][!$-\[\]-~]*)?$")
]
"""Of a page of ours, without a fragment; the server knows its own origins."""


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


class OAuthStart(SsoStart):
    state: str
    """Comes back beside the code; compare it, and send it along with the exchange."""


class OAuthExchange(Input):
    code: Code = Field(min_length=1, repr=False)
    redirect_uri: PageUrl
    """The same that the sign-in began with."""
    state: State = Field(min_length=1)
    cookie: bool = Field(default=False, description=COOKIE)


class SsoTokens(Tokens):
    workspace_id: str
    """The workspace that this sign-in works in."""


@operation("GET", "/auth/sso", public=True)
def list_sso_providers() -> SsoProviders:
    """List where you can sign in from."""


@operation("GET", "/auth/sso/{provider}", public=True)
def start_sso(provider: str, return_to: PageUrl | None = None) -> SsoStart:
    """Begin to sign in through a provider. The cookie that comes along binds the sign-in to this browser.

    With `return_to`, a page of this server's own origins, the callback puts the refresh token into a cookie that no
    script can read and sends the browser on to that page, instead of answering tokens.
    """


@operation("GET", "/auth/sso/{provider}/callback", public=True)
def finish_sso(
    provider: str,
    state: Short = "",
    code: Code = "",
    error: Short = "",
    error_description: Code = "",
) -> SsoTokens:
    """Come back from the provider and get tokens. An account is made for who comes for the first time."""


@operation("GET", "/auth/oauth/{provider}/authorize", public=True)
def authorize_oauth(provider: str, redirect_uri: PageUrl, state: State = "") -> OAuthStart:
    """Begin to sign in from a page that takes the code itself. A state is made unless one is given.

    The cookie that comes along binds the sign-in to this browser. `redirect_uri` is a page of this server's own origins
    that the provider knows.
    """


@operation("POST", "/auth/oauth/{provider}/exchange", public=True)
def exchange_oauth(provider: str, body: OAuthExchange) -> SsoTokens:
    """Exchange the code that the provider sent the browser back with for tokens. It works once, in that browser."""
