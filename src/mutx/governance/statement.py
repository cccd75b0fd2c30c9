"""The signed statement that ends an export: how many receipts each session has, and which one is the last."""

import msgspec

from mutx.governance.receipt_body import At, Hash, Part
from mutx.kit.errors import VerificationFailed

HEAD_TYPE = "application/vnd.mutx.head.v1+json"


class SessionHead(Part, frozen=True, kw_only=True):
    """Where one session's chain ends."""

    workspace: str
    session: str
    count: int
    head: Hash


class HeadStatement(Part, frozen=True, kw_only=True):
    """The payload of a head envelope."""

    v: int
    at: At
    keys: Hash
    """SHA-256 of the canonical form of the export's list of keys."""
    sessions: tuple[SessionHead, ...] = ()
    """Sorted by workspace and session."""


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(HeadStatement)


def encode_statement(statement: HeadStatement) -> bytes:
    """The RFC 8785 bytes of a statement."""
    return _ENCODER.encode(statement)


def decode_statement(payload: bytes) -> HeadStatement:
    """Read a statement that is exactly as `encode_statement` writes it. Raises VerificationFailed."""
    try:
        statement = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"the head statement cannot be read: {error}") from error
    if statement.v != 1 or _ENCODER.encode(statement) != payload:
        raise VerificationFailed("the head statement is not of format 1, or not in canonical form")
    return statement
