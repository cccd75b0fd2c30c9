"""The signed end of a workspace's audit chain: signed anew with every entry, so that a removed end shows."""

import msgspec

from mutx.governance.audit.entry import VERSION, AuditChain
from mutx.governance.dsse import EnvelopeWriter
from mutx.governance.keys import KeyRing
from mutx.governance.ports import Signer
from mutx.governance.receipt_body import At, Hash, Part
from mutx.governance.receipt_checks import check_validity, open_envelope
from mutx.kit.canonical import canonical
from mutx.kit.errors import VerificationFailed

AUDIT_HEAD_TYPE = "application/vnd.mutx.audit-head.v1+json"


class AuditHead(Part, frozen=True, kw_only=True):
    """Where a chain ends, and where it begins since retention removed its oldest links."""

    v: int
    workspace: str
    at: At
    seq: int
    hash: Hash | None = None
    """Of the last link; None while there is none."""
    base: int = 0
    base_hash: Hash | None = None

    def ends(self, chain: AuditChain) -> bool:
        """Whether the chain stops exactly here."""
        return (self.workspace, self.seq, self.hash) == (chain.workspace, chain.seq, chain.hash)


def sign_head(head: AuditHead, signer: Signer) -> bytes:
    """A DSSE envelope."""
    payload = canonical(msgspec.to_builtins(head))
    return EnvelopeWriter(AUDIT_HEAD_TYPE, signer.key_id, signer.sign).write(payload)


def open_head(envelope: bytes, keys: KeyRing) -> AuditHead:
    """The statement, if a trusted key signed it. Raises VerificationFailed."""
    payload, key = open_envelope(envelope, AUDIT_HEAD_TYPE, keys)
    try:
        head = msgspec.json.decode(payload, type=AuditHead)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"the head statement cannot be read: {error}") from error
    if head.v != VERSION:
        raise VerificationFailed(f"the head statement is of format {head.v}; this verifier knows {VERSION}")
    check_validity(key, head.at)
    return head
