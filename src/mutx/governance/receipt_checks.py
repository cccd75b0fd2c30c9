"""Steps (2) to (6) of verification: what can be said of one receipt alone. See `verify` for all steps."""

from collections.abc import Iterator
from contextlib import contextmanager

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from mutx.governance.dsse import pae, parse
from mutx.governance.keys import KeyRing, PublicKey
from mutx.governance.receipt_body import PAYLOAD_TYPE, ReceiptBody, decode_body
from mutx.governance.verify_report import VerificationStep
from mutx.kit.errors import VerificationFailed


@contextmanager
def at_step(step: VerificationStep) -> Iterator[None]:
    """Mark failures with the step they happen at, as `details["step"]`."""
    try:
        yield
    except VerificationFailed as error:
        error.details.setdefault("step", step)
        raise


def verify_receipt(envelope: bytes, keys: KeyRing) -> ReceiptBody:
    """Steps (2) to (6) on one receipt. Raises VerificationFailed with the step in its details."""
    payload, key = open_envelope(envelope, PAYLOAD_TYPE, keys)
    with at_step(VerificationStep.BODY):  # (5)
        body = decode_body(payload)
    check_validity(key, body.at)
    return body


def open_envelope(data: bytes, payload_type: str, keys: KeyRing) -> tuple[bytes, PublicKey]:
    """Steps (2) to (4): the payload and the key that signed it. Raises VerificationFailed."""
    with at_step(VerificationStep.ENVELOPE):  # (2)
        envelope = parse(data)
        if envelope.payload_type != payload_type:
            raise VerificationFailed(f"the envelope holds {envelope.payload_type}, not {payload_type}")
    with at_step(VerificationStep.KEY):  # (3)
        key = keys.get(envelope.key_id)
        if key is None:
            raise VerificationFailed(f"signed with {envelope.key_id}, which is no trusted key; give its public key")
    with at_step(VerificationStep.SIGNATURE):  # (4)
        try:
            crypto_sign_open(envelope.signature + pae(envelope.payload_type, envelope.payload), key.raw)
        except BadSignatureError as error:
            raise VerificationFailed("the signature does not fit: what it signs was changed afterwards") from error
    return envelope.payload, key


def check_validity(key: PublicKey, at: str) -> None:
    """Step (6). Raises VerificationFailed for a signature at or after the key's revocation, or after its retirement."""
    with at_step(VerificationStep.VALIDITY):
        if key.revoked_at is not None and at >= key.revoked_at:
            why = f" ({key.reason})" if key.reason else ""
            raise VerificationFailed(f"signed at {at} with {key.id}, revoked at {key.revoked_at}{why}")
        # what a key signed in its last microsecond is still its own: only later signatures are not
        if key.retired_at is not None and at > key.retired_at:
            raise VerificationFailed(
                f"signed at {at} with {key.id}, retired at {key.retired_at}: who holds a key that was rotated out signs "
                "nothing in its name; find out who signed this"
            )
