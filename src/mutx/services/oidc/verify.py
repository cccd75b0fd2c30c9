"""Whether a token is what it says: OpenID Connect Core §3.1.3.7 for ID tokens, RFC 9068 §4 for access tokens."""

import hmac
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from mutx.kit.clock import Clock
from mutx.kit.errors import Unauthenticated
from mutx.services.oidc.config import ALGORITHMS, OidcConfig
from mutx.services.oidc.discovery import Provider

LEEWAY_SECONDS = 30
MAX_TOKEN = 16_384
TYPES = ("jwt", "at+jwt", "application/at+jwt", "")
INVALID = "this token of the identity provider is not valid here or has expired; sign in again"

Claims = Mapping[str, Any]


def header_of(token: str) -> Mapping[str, Any] | None:
    """The header of a compact JWS, unverified; None for what is none."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > MAX_TOKEN or not token.isascii():
        return None
    try:
        header = json.loads(urlsafe_b64decode(parts[0].encode()))
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _is_id_token(claims: Claims) -> bool:
    """By what only ID tokens hold. Keycloak says `Bearer` or `ID`, and puts a nonce into both."""
    kind = claims.get("typ")
    if kind is not None and kind not in ("Bearer", "at+jwt"):
        return True
    return "at_hash" in claims or "c_hash" in claims or ("nonce" in claims and kind is None)


class OidcTokens:
    """Verifies what one provider has signed."""

    def __init__(self, config: OidcConfig, provider: Provider, clock: Clock) -> None:
        self._config = config
        self._provider = provider
        self._clock = clock

    async def access_token(self, token: str) -> Claims:
        """Claims of an access token meant for us. Raises Unauthenticated, Unavailable."""
        claims = await self._verified(token, self._config.audiences or (self._config.client_id,))
        if _is_id_token(claims):
            raise Unauthenticated("this is an ID token; send an access token of the identity provider")
        return claims

    async def id_token(self, token: str, nonce: str) -> Claims:
        """Claims of the ID token that answers the request with this nonce. Raises Unauthenticated, Unavailable."""
        claims = await self._verified(token, (self._config.client_id,))
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise Unauthenticated("the identity provider answered another sign-in than this one; start again")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self._config.client_id) != self._config.client_id:
            raise Unauthenticated(INVALID)
        return claims

    async def _verified(self, token: str, audiences: tuple[str, ...]) -> Claims:
        header = header_of(token)
        if header is None or header.get("alg") not in ALGORITHMS or str(header.get("typ", "")).lower() not in TYPES:
            raise Unauthenticated(INVALID)
        key_id = header.get("kid")
        key = await self._provider.key(key_id if isinstance(key_id, str) else None)
        try:
            registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
            decoded = jwt.decode(token, key, algorithms=list(ALGORITHMS), registry=registry)
            self._registry(audiences).validate(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated(INVALID) from error
        return decoded.claims

    def _registry(self, audiences: tuple[str, ...]) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._clock.now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._config.issuer},
            aud={"essential": True, "values": list(audiences)},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
