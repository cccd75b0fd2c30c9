"""Access tokens: short-lived signed JWTs (RFC 9068 profile, Ed25519 as RFC 9864 names it)."""

import base64
import json
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from msgspec import Struct

from mutx.kit.clock import Clock
from mutx.kit.errors import KeyUnusable, Unauthenticated
from mutx.kit.ids import new_id

ALGORITHMS = ["Ed25519"]
TYPE = "at+jwt"
LEEWAY_SECONDS = 5
MAX_HEADER = 2048


class AccessClaims(Struct, frozen=True, kw_only=True):
    """What a verified token says."""

    user_id: str
    workspace_id: str
    family_id: str
    """The login it descends from; revoking that ends the token as well."""
    expires_at: float


def new_signing_key() -> bytes:
    """A fresh Ed25519 key as a private JWK."""
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHMS[0]})
    return json.dumps(key.as_dict(private=True)).encode()


def _load(private_jwk: bytes) -> OKPKey:
    try:
        key = OKPKey.import_key(json.loads(private_jwk))
    except (ValueError, JoseError) as error:
        raise KeyUnusable("the token signing key is not a JWK; remove the file to get a new one") from error
    if not key.is_private:
        raise KeyUnusable("the token signing key holds no private part; remove the file to get a new one")
    return key


class AccessTokens:
    """Issues and verifies. One key; its public half is at `/.well-known/jwks.json`."""

    def __init__(self, private_jwk: bytes, *, issuer: str, audience: str, lifetime: float, clock: Clock) -> None:
        self._key = _load(private_jwk)
        self._key_id = self._key.thumbprint()
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self.lifetime = lifetime
        """Seconds."""

    def issue(self, *, user_id: str, workspace_id: str, family_id: str) -> str:
        now = self._clock.now()
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user_id,
            "wid": workspace_id,
            "sid": family_id,
            "jti": new_id(),
            "iat": int(now),
            "exp": int(now + self.lifetime),
        }
        header = {"alg": ALGORITHMS[0], "typ": TYPE, "kid": self._key_id}
        return jwt.encode(header, claims, self._key, algorithms=ALGORITHMS)

    def ours(self, token: str) -> bool:
        """Whether the token names our key; whether that is true, `verify` says."""
        return key_id_in(token) == self._key_id

    def verify(self, token: str) -> AccessClaims:
        """Raises Unauthenticated unless signature, algorithm, type, issuer, audience and times all hold."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=ALGORITHMS)
            self._registry().validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise Unauthenticated("this token is not valid or has expired; sign in again") from error
        if decoded.header.get("typ") != TYPE:
            raise Unauthenticated("this is not an access token; sign in to get one")
        return _claims(decoded.claims)

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._clock.now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            wid={"essential": True},
            sid={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )

    def jwks(self) -> dict[str, Any]:
        """The public key, as a JWK set (RFC 7517 §5)."""
        public = {**self._key.as_dict(private=False), "kid": self._key_id}
        return {"keys": [public]}


def key_id_in(token: str) -> str | None:
    """The `kid` that a compact JWS names; None for what is none, however it is malformed. Proves nothing."""
    head, dot, rest = token.partition(".")
    if not dot or rest.count(".") != 1 or len(head) > MAX_HEADER:
        return None
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return None
    key_id = header.get("kid") if isinstance(header, dict) else None
    return key_id if isinstance(key_id, str) else None


def _claims(claims: dict[str, Any]) -> AccessClaims:
    texts = [claims[name] for name in ("sub", "wid", "sid")]
    if not all(isinstance(text, str) for text in texts):
        raise Unauthenticated("this token is not one of ours; sign in again")
    user_id, workspace_id, family_id = texts
    return AccessClaims(
        user_id=user_id, workspace_id=workspace_id, family_id=family_id, expires_at=float(claims["exp"])
    )
