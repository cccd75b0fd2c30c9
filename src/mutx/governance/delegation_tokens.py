"""Delegations as texts: `mutxd1.` and, in base64url without padding, a DSSE envelope signed with the installation's key.

The payload holds the whole chain, so that whoever has the public keys can read who passed what on; whether a hop was
revoked since, only the control plane knows.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from mutx.governance.dsse import EnvelopeWriter
from mutx.governance.hops import MAX_HOPS, Chain, DelegationHop
from mutx.governance.keys import KeyRing
from mutx.governance.ports import Signer
from mutx.governance.receipt_body import At, Part
from mutx.governance.receipt_checks import check_validity, open_envelope
from mutx.kit.errors import VerificationFailed

DELEGATION_TYPE = "application/vnd.mutx.delegation.v1+json"
PREFIX = "mutxd1."
MAX_TOKEN = 32_768
"""Characters."""


class DelegationBody(Part, frozen=True, kw_only=True):
    """The payload."""

    v: int
    workspace: str
    at: At
    hops: tuple[DelegationHop, ...]


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(DelegationBody)


def seal_delegation(workspace_id: str, chain: Chain, at: str, signer: Signer) -> str:
    """The token. The same chain, time and key always give the same one."""
    body = DelegationBody(v=1, workspace=workspace_id, at=at, hops=chain)
    envelope = EnvelopeWriter(DELEGATION_TYPE, signer.key_id, signer.sign).write(_ENCODER.encode(body))
    return PREFIX + urlsafe_b64encode(envelope).rstrip(b"=").decode()


def open_delegation(token: str, workspace_id: str, keys: KeyRing) -> Chain:
    """The chain that a trusted key signed for this workspace. Raises VerificationFailed."""
    if not token.startswith(PREFIX) or len(token) > MAX_TOKEN:
        raise VerificationFailed("this is no delegation; use the token as it was given")
    text = token.removeprefix(PREFIX)
    try:
        envelope = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError as error:
        raise VerificationFailed("this delegation is damaged; ask for a new one") from error
    payload, key = open_envelope(envelope, DELEGATION_TYPE, keys)
    try:
        body = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"this delegation cannot be read: {error}") from error
    if body.v != 1 or not 1 <= len(body.hops) <= MAX_HOPS:
        raise VerificationFailed("this delegation is not of format 1")
    if body.workspace != workspace_id:
        raise VerificationFailed("this delegation is not one of this workspace")
    check_validity(key, body.at)
    return body.hops
