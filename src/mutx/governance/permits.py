"""Permits: the short-lived right to run one action with one set of arguments, once.

A permit is `mutx1.<payload>.<mac>`, both parts base64url without padding: the payload is canonical JSON naming
permit, workspace, action, hash of the arguments to be executed, audience and expiry; the mac is HMAC-SHA256 under
a key derived from the signing key (ADR 0003). Only the control plane that minted it can judge it, and only its
ledger knows whether it was spent.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from mutx.governance.turn import PermitRecord
from mutx.governance.types import NormalizedAction
from mutx.kit.canonical import canonical, digest
from mutx.kit.errors import PermitRefused
from mutx.kit.ids import new_id

PREFIX = "mutx1"
DEFAULT_TTL = 60.0
MAX_LENGTH = 2048


class Claims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What a permit says, once its mac was checked."""

    id: str
    ws: str
    act: str
    args: str
    aud: str
    exp: int
    """Milliseconds since the epoch: a float would leave the canonical encoder's fast path."""


class Permits:
    """Mints and opens permits. Knows nothing of spending: that is the ledger's."""

    def __init__(self, key: bytes, *, ttl: float = DEFAULT_TTL) -> None:
        """`key`: 32 secret bytes. `ttl`: seconds a permit lives."""
        self._key = key
        self._ttl = ttl

    def mint(self, action: NormalizedAction, args: dict[str, Any], now: float) -> PermitRecord:
        """A permit to run `action` with exactly `args`."""
        expires_at = round(now + self._ttl, 3)
        return PermitRecord(id=new_id(), args_hash=digest(args), expires_at=expires_at, audience=action.agent_id)

    def token(self, record: PermitRecord, action: NormalizedAction) -> str:
        """The permit's text; the same record always gives the same text."""
        body = canonical(
            {
                "id": record.id,
                "ws": action.workspace_id,
                "act": action.id,
                "args": record.args_hash,
                "aud": record.audience,
                "exp": _milliseconds(record.expires_at),
            }
        )
        return f"{PREFIX}.{_b64(body)}.{_b64(self._mac(body))}"

    def open(self, token: str, now: float) -> Claims:
        """Check mac and expiry. Raises PermitRefused."""
        prefix, _, rest = token.partition(".")
        payload, _, mac = rest.partition(".")
        if prefix != PREFIX or not mac or len(token) > MAX_LENGTH:
            raise PermitRefused("this is no permit; use the `permit` of a decision as it was given")
        try:
            body, given = _unb64(payload), _unb64(mac)
        except ValueError as error:
            raise PermitRefused("this permit is damaged; ask for a new decision") from error
        if not hmac.compare_digest(given, self._mac(body)):
            raise PermitRefused("this permit was not issued by this control plane; ask it for a decision")
        claims = msgspec.json.decode(body, type=Claims)
        if _milliseconds(now) >= claims.exp:
            raise PermitRefused("this permit has expired; ask again with a new action id")
        return claims

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, sha256)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
