"""The keys that sign tokens: Ed25519 (RFC 8037, named as RFC 9864 does). The first signs, every one verifies."""

import base64
import json
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from mutx.kit.errors import KeyUnusable, Unauthenticated

ALGORITHMS = ["Ed25519"]
MAX_HEADER = 2048
KEPT = 3
"""Keys that verify, the one that signs among them: logins of the others go on."""


def new_signing_key() -> bytes:
    """A fresh key as a private JWK."""
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHMS[0]})
    return json.dumps(key.as_dict(private=True)).encode()


def with_new_key(private_keys: bytes) -> bytes:
    """The newest keys behind a fresh one, as a set. Raises KeyUnusable."""
    older = [key.as_dict(private=True) for key in _load(private_keys)[: KEPT - 1]]
    return json.dumps({"keys": [json.loads(new_signing_key()), *older]}).encode()


def _load(private_keys: bytes) -> list[OKPKey]:
    """From one private JWK, or a set of them, newest first."""
    try:
        content = json.loads(private_keys)
        keys = [OKPKey.import_key(key) for key in content.get("keys", [content])]
    except (ValueError, TypeError, AttributeError, JoseError) as error:
        raise KeyUnusable("the token signing key is not a JWK; remove it to get a new one") from error
    if not keys or not all(key.is_private for key in keys):
        raise KeyUnusable("the token signing key holds no private part; remove it to get a new one")
    return keys


class TokenKeys:
    def __init__(self, private_keys: bytes) -> None:
        """`private_keys`: a private JWK, or a set of them, newest first. Raises KeyUnusable."""
        keys = _load(private_keys)
        self._keys = {key.thumbprint(): key for key in keys}
        self._signs = keys[0].thumbprint()

    def ours(self, token: str) -> bool:
        """Whether the token names a key of ours; whether that is true, `open` says."""
        return key_id_in(token) in self._keys

    def sign(self, claims: dict[str, Any], *, typ: str) -> str:
        header = {"alg": ALGORITHMS[0], "typ": typ, "kid": self._signs}
        return jwt.encode(header, claims, self._keys[self._signs], algorithms=ALGORITHMS)

    def open(self, token: str, *, typ: str) -> dict[str, Any]:
        """The claims of a token of one type. Raises Unauthenticated unless key, algorithm, signature and type hold."""
        key = self._keys.get(key_id_in(token) or "")
        if key is None:
            raise Unauthenticated("this token is not one of ours; sign in again")
        try:
            decoded = jwt.decode(token, key, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise Unauthenticated("this token is not valid or has expired; sign in again") from error
        if decoded.header.get("typ") != typ:
            raise Unauthenticated("this token is not for that; sign in to get one")
        return decoded.claims

    def jwks(self) -> dict[str, Any]:
        """The public keys, as a JWK set (RFC 7517 §5)."""
        return {"keys": [{**key.as_dict(private=False), "kid": key_id} for key_id, key in self._keys.items()]}


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
