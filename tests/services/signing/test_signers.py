"""One suite for every implementation of the Signer port."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mutx.governance.ports import Signer
from mutx.governance.receipts import ReceiptGenerator
from mutx.governance.verify import verify_receipt
from mutx.services.signing import EphemeralSigner, FileSigner
from tests.governance.receipts.story import Story


@pytest.fixture(params=["file", "ephemeral"])
def signer(request, tmp_path):
    return EphemeralSigner() if request.param == "ephemeral" else FileSigner(tmp_path / "key.pem", may_create=True)


def test_signatures_are_ed25519_and_repeatable(signer: Signer):
    signature = signer.sign(b"message")
    assert len(signature) == 64
    assert signature == signer.sign(b"message")
    public = Ed25519PublicKey.from_public_bytes(signer.public_key.raw)
    public.verify(signature, b"message")
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"massage")


def test_the_key_id_is_that_of_the_public_key(signer: Signer):
    assert signer.key_id == signer.public_key.id


def test_derived_secrets_differ_by_purpose_and_repeat(signer: Signer):
    assert len(signer.derive(b"permit")) == 32
    assert signer.derive(b"permit") == signer.derive(b"permit")
    assert len({signer.derive(b"permit"), signer.derive(b"other"), EphemeralSigner().derive(b"permit")}) == 3


def test_receipts_it_signs_verify(signer: Signer):
    assert ReceiptGenerator(signer)
    story = Story(signer=signer)
    receipt, _ = story.seal()
    assert verify_receipt(receipt.envelope, story.ring).id == receipt.id


def test_no_secret_shows_in_its_text(signer: Signer, tmp_path):
    shown = repr(signer) + str(vars(signer).keys())
    assert signer._secret.hex() not in shown
    assert repr(signer._secret) not in shown
