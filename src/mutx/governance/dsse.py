"""DSSE envelopes (protocol and envelope v1.0.2), one signature each, in one byte form only.

An envelope is the RFC 8785 form of `{payload, payloadType, signatures: [{keyid, sig}]}` with standard padded base64.
`parse` takes exactly those bytes: other white space, member order, unknown or repeated members and other base64
spellings of the same bytes are refused, so a hash of the envelope names one text.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable

import msgspec
from msgspec import Struct

from mutx.kit.canonical import canonical
from mutx.kit.errors import VerificationFailed

SIGNATURE_SIZE = 64


class EnvelopeSignature(Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class EnvelopeJson(Struct, frozen=True, forbid_unknown_fields=True):
    """The envelope as JSON."""

    payload: str
    payloadType: str  # noqa: N815 - the name is DSSE's
    signatures: tuple[EnvelopeSignature, ...]


class Envelope(Struct, frozen=True):
    """What an envelope holds."""

    payload: bytes
    payload_type: str
    key_id: str
    signature: bytes


_DECODER = msgspec.json.Decoder(EnvelopeJson)


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: the bytes that are signed (DSSE protocol v1)."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


class EnvelopeWriter:
    """Signs payloads of one type with one key."""

    def __init__(self, payload_type: str, key_id: str, sign: Callable[[bytes], bytes]) -> None:
        self._type = payload_type
        self._sign = sign
        self._middle = _middle(payload_type, key_id)

    def write(self, payload: bytes) -> bytes:
        """The envelope's bytes."""
        return _join(payload, self._middle, self._sign(pae(self._type, payload)))


def parse(data: bytes) -> Envelope:
    """Read an envelope. Checks form only, no signature. Raises VerificationFailed."""
    try:
        outer = _DECODER.decode(data)
        payload = a2b_base64(outer.payload, strict_mode=True)
        signatures = [(each.keyid, a2b_base64(each.sig, strict_mode=True)) for each in outer.signatures]
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise VerificationFailed(f"not a DSSE envelope: {error}") from error
    if len(signatures) != 1 or len(signatures[0][1]) != SIGNATURE_SIZE:
        raise VerificationFailed("the envelope must hold exactly one signature of 64 bytes")
    key_id, signature = signatures[0]
    if _join(payload, _middle(outer.payloadType, key_id), signature) != data:
        raise VerificationFailed("the envelope is not in canonical form; use the bytes that were issued")
    return Envelope(payload, outer.payloadType, key_id, signature)


def _middle(payload_type: str, key_id: str) -> bytes:
    """What stands between payload and signature; the same in every envelope of one writer."""
    return b'","payloadType":%b,"signatures":[{"keyid":%b,"sig":"' % (canonical(payload_type), canonical(key_id))


def _join(payload: bytes, middle: bytes, signature: bytes) -> bytes:
    return b'{"payload":"%b%b%b"}]}' % (_base64(payload), middle, _base64(signature))


def _base64(data: bytes) -> bytes:
    return b2a_base64(data, newline=False)
