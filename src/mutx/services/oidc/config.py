"""What the operator says of the provider."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures with a public key. Neither `none` nor HMAC, with which the public key would be the secret."""


class OidcConfig(Struct, frozen=True, kw_only=True):
    """One provider; any issuer with discovery will do."""

    provider: str
    """What this installation calls it; part of the callback's URL."""
    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str = field(default="")
    """Empty: a public client, which PKCE alone protects."""
    jwks_uri: str = ""
    """Empty: what discovery says."""
    audiences: tuple[str, ...] = ()
    """Who access tokens may be for; empty: the client id."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    role_map: Mapping[str, str] = MappingProxyType({})
    """A value of a role claim -> a role of ours. Names of our own roles need no entry."""

    trust_email: bool = False
    """Addresses count as verified though the provider does not say so."""
    workspace_id: str = ""
    """Where its people work; empty: a workspace made for this issuer."""

    def __repr__(self) -> str:
        return f"OidcConfig({self.provider!r}, {self.issuer!r})"
