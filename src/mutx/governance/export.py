"""Write receipts into a file that ends with a signed statement of sessions, counts and heads."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from mutx.governance.dsse import EnvelopeWriter, parse
from mutx.governance.export_format import FORMAT
from mutx.governance.keys import PublicKey
from mutx.governance.openings import commitments_of, openings_of
from mutx.governance.ports import Signer
from mutx.governance.receipt_body import ReceiptBody, decode_body
from mutx.governance.statement import HEAD_TYPE, HeadStatement, SessionHead, encode_statement
from mutx.governance.turn import Sealed
from mutx.kit.canonical import canonical, digest, sha256_hex
from mutx.kit.clock import rfc3339


class ExportEntry(Struct, frozen=True):
    """A receipt on its way into a file."""

    body: ReceiptBody
    envelope: bytes
    sealed: Sealed | None

    @property
    def place(self) -> tuple[str, str, int]:
        return self.body.workspace, self.body.session, self.body.seq


def export_receipts(
    receipts: Iterable[tuple[bytes, Sealed | None]], *, keys: Iterable[PublicKey], signer: Signer, at: float
) -> bytes:
    """The bytes of an export file, ending with a newline.

    `receipts`: envelopes of whole sessions, in any order, each with its values or None to leave them out. `at`:
    seconds. Raises VerificationFailed for bytes that are no receipt; whether the chains hold is for `verify` to say.
    """
    entries = sorted((_entry(envelope, sealed) for envelope, sealed in receipts), key=lambda entry: entry.place)
    jwks = [key.jwk() for key in keys]
    statement = HeadStatement(v=1, at=rfc3339(at), keys=digest(jwks), sessions=_heads(entries))
    head = EnvelopeWriter(HEAD_TYPE, signer.key_id, signer.sign).write(encode_statement(statement))
    values = {entry.body.id: opened for entry in entries if (opened := _values(entry))}
    file = {
        "format": FORMAT,
        "receipts": [msgspec.json.decode(entry.envelope) for entry in entries],
        "keys": jwks,
        "head": msgspec.json.decode(head),
    }
    return canonical(file | {"values": values} if values else file) + b"\n"


def _entry(envelope: bytes, sealed: Sealed | None) -> ExportEntry:
    return ExportEntry(decode_body(parse(envelope).payload), envelope, sealed)


def _heads(entries: list[ExportEntry]) -> tuple[SessionHead, ...]:
    last = {entry.place[:2]: entry for entry in entries}
    return tuple(
        SessionHead(workspace=workspace, session=session, count=entry.body.seq, head=sha256_hex(entry.envelope))
        for (workspace, session), entry in last.items()
    )


def _values(entry: ExportEntry) -> dict[str, Any]:
    openings = openings_of(entry.sealed) if entry.sealed is not None else {}
    return {slot: msgspec.structs.asdict(openings[slot]) for slot in commitments_of(entry.body) if slot in openings}
