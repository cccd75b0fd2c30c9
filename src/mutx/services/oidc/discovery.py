"""What the provider says of itself (OpenID Connect Discovery 1.0), and its keys, kept over an outage."""

import asyncio
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from msgspec import Struct

from mutx.kit.clock import Clock
from mutx.kit.errors import Unauthenticated, Unavailable
from mutx.services.oidc.config import OidcConfig
from mutx.services.oidc.fetch import Fetcher, Json

PublicKey = RSAKey | ECKey | OKPKey

FRESH_SECONDS = 600.0
STALE_SECONDS = 86_400.0
"""So long keys go on being used while the provider cannot be reached."""
COOLDOWN_SECONDS = 30.0
"""Between two refreshes that an unknown key id asks for: a forged id must not make us knock at the provider each time."""
MAX_KEYS = 64
TYPES = ("RSA", "EC", "OKP")
MIN_RSA_BITS = 2048
"""NIST SP 800-131A; a modulus is in base64, 6 bits a character."""


class Metadata(Struct, frozen=True):
    """Where the provider's endpoints are."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    auth_methods: tuple[str, ...]


class Provider:
    """Metadata and keys of one issuer, fetched when they are first needed and refreshed when they are old."""

    def __init__(self, config: OidcConfig, fetcher: Fetcher, clock: Clock) -> None:
        self._config = config
        self._fetcher = fetcher
        self._clock = clock
        self._metadata: Metadata | None = None
        self._keys: Mapping[str | None, PublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._refreshing = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Raises Unavailable where discovery fails and nothing is known from before."""
        if self._metadata is None:
            url = self._config.issuer.rstrip("/") + "/.well-known/openid-configuration"
            self._metadata = _metadata(await self._fetcher.get(url), self._config)
        return self._metadata

    async def key(self, key_id: str | None) -> PublicKey:
        """The key of this id; without an id the only key there is. Raises Unauthenticated, Unavailable."""
        now = self._clock.now()
        if now >= self._fetched_at + FRESH_SECONDS or (key_id not in self._keys and not self._alone(key_id)):
            await self._refresh(now)
        if now >= self._fetched_at + STALE_SECONDS:
            raise Unavailable("the identity provider's keys cannot be fetched; try again when it is back")
        found = self._keys.get(key_id) or self._alone(key_id)
        if found is None:
            raise Unauthenticated("this token is signed with a key that the identity provider does not publish")
        return found

    def _alone(self, key_id: str | None) -> PublicKey | None:
        return next(iter(self._keys.values())) if key_id is None and len(self._keys) == 1 else None

    async def _refresh(self, now: float) -> None:
        """At most once per cool-down. A failure leaves what is known; before anything is known it is raised."""
        async with self._refreshing:
            if now < self._tried_at + COOLDOWN_SECONDS:
                return
            try:
                uri = self._config.jwks_uri or (await self.metadata()).jwks_uri
                self._keys = _keys(await self._fetcher.get(uri))
                self._fetched_at = now
            except Unavailable:
                if now >= self._fetched_at + STALE_SECONDS:
                    raise
            self._tried_at = now


def _metadata(found: Json, config: OidcConfig) -> Metadata:
    if found.get("issuer") != config.issuer:
        raise Unavailable("the provider's metadata names another issuer; set OIDC_ISSUER to exactly what it names")
    scheme = config.issuer.partition("://")[0]

    def endpoint(name: str) -> str:
        text = found.get(name)
        if not isinstance(text, str) or not text.startswith(("https://", f"{scheme}://")):
            raise Unavailable(f"the provider's metadata lacks {name}, or names one without TLS")
        return text

    methods = found.get("token_endpoint_auth_methods_supported")
    return Metadata(
        authorization_endpoint=endpoint("authorization_endpoint"),
        token_endpoint=endpoint("token_endpoint"),
        jwks_uri=config.jwks_uri or endpoint("jwks_uri"),
        userinfo_endpoint=endpoint("userinfo_endpoint") if "userinfo_endpoint" in found else None,
        auth_methods=tuple(map(str, methods)) if isinstance(methods, list) else (),
    )


def _keys(found: Json) -> dict[str | None, PublicKey]:
    """By key id; those that are no public signing keys are left out."""
    listed = found.get("keys")
    if not isinstance(listed, list):
        raise Unavailable("the provider's key set holds no keys; check OIDC_JWKS_URI")
    keys: dict[str | None, PublicKey] = {}
    for entry in listed[:MAX_KEYS]:
        key = _key(entry)
        if key is not None:
            keys[entry.get("kid")] = key
    return keys


def _key(entry: Any) -> PublicKey | None:
    if not isinstance(entry, dict) or entry.get("kty") not in TYPES or entry.get("use", "sig") != "sig":
        return None
    if entry["kty"] == "RSA" and len(str(entry.get("n"))) * 6 < MIN_RSA_BITS:
        return None
    try:
        key = JWKRegistry.import_key(entry)
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None
