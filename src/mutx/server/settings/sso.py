"""Settings of single sign-on."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from mutx.contract.workspaces import Role

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class SsoSettings(BaseModel):
    """One OpenID provider: Okta, Auth0, Keycloak, Google, Azure AD, or any issuer with discovery."""

    oidc_issuer: str = Field("", max_length=255)
    """Exactly as the provider's metadata names it; empty: no single sign-on."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_jwks_uri: str = ""
    """Empty: where discovery says."""
    oidc_audience: Annotated[tuple[str, ...], NoDecode] = ()
    """Who access tokens sent to the API may be for, by comma; empty: the client id."""
    oidc_scopes: str = "openid profile email"
    oidc_provider: str = Field("oidc", pattern=r"^[a-z0-9-]{1,32}$")
    """What stands in the address of the sign-in and names the organisation's workspace."""
    oidc_role_map: dict[str, Role] = {}
    """JSON: what `roles` or `groups` hold -> ADMIN, AUDIT_ADMIN, DEVELOPER or VIEWER; empty: these names themselves."""
    oidc_trust_email: bool = False
    """Take the provider's addresses for verified though it does not say so (Azure AD of one's own tenant)."""
    oidc_workspace_id: str = ""
    """The workspace people join; empty: one made for this issuer."""

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        if not self.oidc_issuer:
            return self
        if not self.oidc_client_id:
            raise ValueError("OIDC_CLIENT_ID is required with OIDC_ISSUER")
        for name in ("oidc_issuer", "oidc_jwks_uri"):
            parts = urlsplit(getattr(self, name))
            local = parts.scheme == "http" and parts.hostname in LOCAL_NAMES
            if getattr(self, name) and not (parts.scheme == "https" and parts.hostname) and not local:
                raise ValueError(f"{name.upper()} must be an https:// URL; plain http is for this machine only")
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("OIDC_SCOPES must contain openid")
        return self
