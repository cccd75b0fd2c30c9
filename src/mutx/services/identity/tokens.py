"""The two tokens of a login, both signed JWTs: one to come in with, one to get the next pair with.

Access (RFC 9068 profile): `type` access, `sub` the user, `wid` the workspace, `sid` the login, `jti`, `iat`, `exp`.
Refresh: `type` refresh, `sub`, `family_id` the login, `jti` its row in the store, `nonce`, `iat` when the login began, which
every successor keeps, `exp`. Neither is taken for the other: the header's `typ` differs, and is checked.
"""

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from msgspec import Struct

from mutx.kit.clock import Clock
from mutx.kit.errors import Unauthenticated
from mutx.kit.ids import new_id, new_token
from mutx.services.identity.token_keys import TokenKeys

ACCESS_TYPE, REFRESH_TYPE = "at+jwt", "rt+jwt"
LEEWAY_SECONDS = 5


class AccessClaims(Struct, frozen=True, kw_only=True):
    """What a verified access token says."""

    user_id: str
    workspace_id: str
    family_id: str
    """The login it descends from; revoking that ends the token as well."""
    expires_at: float


class RefreshClaims(Struct, frozen=True, kw_only=True):
    """What a refresh token says whose signature holds; its row in the store says whether it is still good."""

    token_id: str
    user_id: str
    family_id: str


class LoginTokens:
    """Issues and verifies both. The public keys are at `/.well-known/jwks.json`."""

    def __init__(self, keys: TokenKeys, *, issuer: str, audience: str, lifetime: float, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self.lifetime = lifetime
        """Of an access token, in seconds."""

    def ours(self, token: str) -> bool:
        """Whether the token names a key of ours; whether that is true, `verify` says."""
        return self._keys.ours(token)

    def issue(self, *, user_id: str, workspace_id: str, family_id: str) -> str:
        """An access token."""
        now = self._clock.now()
        times = {"iat": int(now), "exp": int(now + self.lifetime)}
        about = {"type": "access", "sub": user_id, "wid": workspace_id, "sid": family_id, "jti": new_id()}
        return self._keys.sign({**self._between(), **about, **times}, typ=ACCESS_TYPE)

    def issue_refresh(self, *, token_id: str, user_id: str, family_id: str, began_at: float, expires_at: float) -> str:
        """A refresh token; `token_id` is its row's, `began_at` when the login began, both times in seconds."""
        times = {"iat": int(began_at), "exp": int(expires_at)}
        about = {"type": "refresh", "sub": user_id, "family_id": family_id, "jti": token_id, "nonce": new_token(16)}
        return self._keys.sign({**self._between(), **about, **times}, typ=REFRESH_TYPE)

    def verify(self, token: str) -> AccessClaims:
        """Raises Unauthenticated unless signature, algorithm, type, issuer, audience and times all hold."""
        claims = self._keys.open(token, typ=ACCESS_TYPE)
        issuer = {"essential": True, "value": self._issuer}
        self._check(claims, iss=issuer, wid={"essential": True}, sid={"essential": True})
        user_id, workspace_id, family_id = _texts(claims, "sub", "wid", "sid")
        return AccessClaims(
            user_id=user_id, workspace_id=workspace_id, family_id=family_id, expires_at=float(claims["exp"])
        )

    def verify_refresh(self, token: str) -> RefreshClaims:
        """Raises Unauthenticated as `verify` does. Another issuer is no matter: the address may have changed."""
        claims = self._keys.open(token, typ=REFRESH_TYPE)
        self._check(claims, jti={"essential": True}, family_id={"essential": True}, nonce={"essential": True})
        token_id, user_id, family_id = _texts(claims, "jti", "sub", "family_id")
        return RefreshClaims(token_id=token_id, user_id=user_id, family_id=family_id)

    def jwks(self) -> dict[str, Any]:
        """The public keys, as a JWK set (RFC 7517 §5)."""
        return self._keys.jwks()

    def _between(self) -> dict[str, str]:
        return {"iss": self._issuer, "aud": self._audience}

    def _check(self, claims: dict[str, Any], **wanted: Any) -> None:
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock.now()),
            leeway=LEEWAY_SECONDS,
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
            **wanted,
        )
        try:
            registry.validate(claims)
        except (JoseError, ValueError) as error:
            raise Unauthenticated("this token is not valid or has expired; sign in again") from error


def _texts(claims: dict[str, Any], *names: str) -> tuple[str, ...]:
    texts = tuple(claims[name] for name in names)
    if not all(isinstance(text, str) for text in texts):
        raise Unauthenticated("this token is not one of ours; sign in again")
    return texts
