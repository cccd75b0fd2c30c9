"""Public keys: what they look like, how they are named, which ones a verifier trusts.

A key's id is `mutx-` and the first 32 hex digits of the SHA-256 of its 32 bytes, so an id cannot be made to fit
another key. Keys come as JWK or JWK set (RFC 8037), as PEM (SubjectPublicKeyInfo, RFC 8410) or as base64 of the raw bytes.
"""

from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutx.governance.receipt_body import At
from mutx.kit.canonical import canonical, sha256_hex
from mutx.kit.errors import KeyUnusable

KEY_SIZE = 32
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
_PEM_BEGIN, _PEM_END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


class PublicKey(Struct, frozen=True, kw_only=True):
    """An Ed25519 public key and its history. Times are RFC 3339 text."""

    raw: bytes
    created_at: str | None = None
    retired_at: str | None = None
    """Rotated out: what it signed up to this time stays good, later receipts fail."""
    revoked_at: str | None = None
    """Not to be believed: receipts of this time and later fail."""
    reason: str | None = None

    @property
    def id(self) -> str:
        return key_id(self.raw)

    def jwk(self) -> dict[str, str]:
        """The key as a JSON Web Key; `created_at`, `retired_at`, `revoked_at` and `reason` are ours."""
        history = {name: getattr(self, name) for name in ("created_at", "retired_at", "revoked_at", "reason")}
        x = urlsafe_b64encode(self.raw).rstrip(b"=").decode()
        known = {name: text for name, text in history.items() if text is not None}
        return {"kty": "OKP", "crv": "Ed25519", "kid": self.id, "x": x, **known}


class Jwk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON Web Key as it is read. A private key's `d` is no known member."""

    kty: str
    crv: str
    x: str
    kid: str | None = None
    use: str | None = None
    alg: str | None = None
    created_at: At | None = None
    retired_at: At | None = None
    revoked_at: At | None = None
    reason: str | None = None


class JwkSet(Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[Jwk, ...]


class KeyRing:
    """Public keys by id. Immutable: each change gives a new ring."""

    def __init__(self, keys: Iterable[PublicKey] = ()) -> None:
        self._keys = {key.id: key for key in keys}

    def __iter__(self) -> Iterator[PublicKey]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, kid: str) -> PublicKey | None:
        return self._keys.get(kid)

    def with_key(self, key: PublicKey) -> "KeyRing":
        """The ring with this key added or replaced."""
        return KeyRing((*self, key))

    def retire(self, kid: str, at: str) -> "KeyRing":
        """The first retirement holds. Raises KeyUnusable for a key that is not in the ring."""
        known = self._known(kid)
        return self if known.retired_at is not None else self.with_key(replace(known, retired_at=at))

    def revoke(self, kid: str, at: str, reason: str) -> "KeyRing":
        """Raises KeyUnusable for a key that is not in the ring."""
        return self.with_key(replace(self._known(kid), revoked_at=at, reason=reason))

    def to_json(self) -> bytes:
        """The ring as a JWK set."""
        return canonical({"keys": [key.jwk() for key in self]})

    def _known(self, kid: str) -> PublicKey:
        key = self.get(kid)
        if key is None:
            raise KeyUnusable(f"no key {kid} in the key ring; it holds {', '.join(self._keys) or 'none'}")
        return key


def key_id(raw: bytes) -> str:
    """`mutx-` and 32 hex digits."""
    return f"mutx-{sha256_hex(raw)[:32]}"


def read_keys(text: str) -> tuple[PublicKey, ...]:
    """Public keys from JWK, JWK set, PEM (one or several) or base64. Raises KeyUnusable."""
    text = text.strip()
    try:
        if text.startswith("{"):
            return read_jwks(text)
        if text.startswith(_PEM_BEGIN):
            blocks = text.removesuffix(_PEM_END).split(_PEM_END)
            return tuple(PublicKey(raw=_spki(block)) for block in blocks)
        return (PublicKey(raw=_sized(_unbase64(text))),)
    except (msgspec.DecodeError, ValueError) as error:
        raise KeyUnusable(f"not an Ed25519 public key (JWK, JWK set, PEM or base64 of 32 bytes): {error}") from error


def read_jwks(text: str | bytes) -> tuple[PublicKey, ...]:
    """Public keys from a JWK or a JWK set. Raises KeyUnusable, and msgspec's or plain ValueErrors."""
    found = msgspec.json.decode(text)
    if isinstance(found, dict) and "keys" in found:
        return tuple(from_jwk(each) for each in msgspec.convert(found, JwkSet).keys)
    return (from_jwk(msgspec.convert(found, Jwk)),)


def from_jwk(jwk: Jwk) -> PublicKey:
    """Raises KeyUnusable for another kind of key, or an id that is not this key's."""
    if (jwk.kty, jwk.crv) != ("OKP", "Ed25519") or jwk.alg not in (None, "EdDSA", "Ed25519"):
        raise KeyUnusable("only Ed25519 keys are used here: kty OKP, crv Ed25519, alg EdDSA")
    try:
        raw = _sized(_unbase64(jwk.x))
    except ValueError as error:
        raise KeyUnusable(f"the key's `x` is not base64url of 32 bytes: {error}") from error
    if jwk.kid not in (None, key_id(raw)):
        raise KeyUnusable(f"the key named {jwk.kid} is really {key_id(raw)}")
    return PublicKey(
        raw=raw,
        created_at=jwk.created_at,
        retired_at=jwk.retired_at,
        revoked_at=jwk.revoked_at,
        reason=jwk.reason,
    )


def _spki(block: str) -> bytes:
    body = "".join(block.strip().removeprefix(_PEM_BEGIN).split())
    data = a2b_base64(body, strict_mode=True)
    if not data.startswith(_SPKI_PREFIX):
        raise ValueError("the PEM holds another kind of key")
    return _sized(data.removeprefix(_SPKI_PREFIX))


def _unbase64(text: str) -> bytes:
    """Standard or URL-safe alphabet, padded or not."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)


def _sized(raw: bytes) -> bytes:
    if len(raw) != KEY_SIZE:
        raise ValueError(f"{len(raw)} bytes instead of {KEY_SIZE}")
    return raw
