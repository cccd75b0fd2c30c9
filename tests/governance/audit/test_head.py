"""The signed end of a chain: what it says, and what is not believed."""

import pytest

from mutx.governance.audit.entry import VERSION, AuditChain, AuditLink
from mutx.governance.audit.head import AUDIT_HEAD_TYPE, AuditHead, open_head, sign_head
from mutx.governance.dsse import EnvelopeWriter
from mutx.governance.keys import KeyRing
from mutx.kit.canonical import canonical
from mutx.kit.clock import rfc3339
from mutx.kit.errors import VerificationFailed
from mutx.services.signing import EphemeralSigner

SIGNER = EphemeralSigner()
KEYS = KeyRing((SIGNER.public_key,))
AT = "2027-01-15T08:00:00.000000Z"


def head(**more: object) -> AuditHead:
    return AuditHead(**{"v": VERSION, "workspace": "ws-1", "at": AT, "seq": 0, **more})  # type: ignore[arg-type]


def envelope(payload: bytes, payload_type: str = AUDIT_HEAD_TYPE) -> bytes:
    return EnvelopeWriter(payload_type, SIGNER.key_id, SIGNER.sign).write(payload)


def test_it_says_what_was_signed() -> None:
    said = head(seq=7, hash="0" * 64, base=3, base_hash="1" * 64)
    assert open_head(sign_head(said, SIGNER), KEYS) == said


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"no json", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b'{"v":1}', "cannot be read"),
        (canonical({"v": 2, "workspace": "ws-1", "at": AT, "seq": 0}), "of format 2"),
    ],
)
def test_another_format_is_not_believed(payload: bytes, said: str) -> None:
    with pytest.raises(VerificationFailed, match=said):
        open_head(envelope(payload), KEYS)


def test_another_statement_is_no_head() -> None:
    with pytest.raises(VerificationFailed, match="not application"):
        open_head(envelope(canonical({"v": 1}), "application/json"), KEYS)


def test_a_revoked_key_signs_no_end() -> None:
    revoked = KEYS.revoke(SIGNER.key_id, rfc3339(1_700_000_000), "stolen")
    with pytest.raises(VerificationFailed, match="stolen"):
        open_head(sign_head(head(), SIGNER), revoked)


def test_a_chain_begins_where_retention_left_it() -> None:
    chain = AuditChain("ws-1", 3, "1" * 64)
    link = AuditLink(v=VERSION, workspace="ws-1", seq=4, prev="1" * 64, at=AT, retention="login", content="2" * 64)
    chain.link(link)
    assert head(seq=4, hash=link.hash, base=3, base_hash="1" * 64).ends(chain)
    with pytest.raises(VerificationFailed, match="entry 5 is missing"):
        chain.link(link)
