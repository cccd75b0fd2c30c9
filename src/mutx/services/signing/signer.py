"""Ed25519 signers. Both pass one suite (tests/services/signing/test_signers.py)."""

import os

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_seed_keypair

from mutx.governance.keys import PublicKey

SEED_SIZE = 32
_DERIVE_SALT = b"mutx.derive.v1"


class Ed25519Signer:
    """A private key in this process's memory (the `Signer` port)."""

    def __init__(self, seed: bytes) -> None:
        """`seed`: the 32 bytes of an Ed25519 private key (RFC 8032)."""
        raw, self._secret = crypto_sign_seed_keypair(seed)
        self.public_key = PublicKey(raw=raw)
        self._key_id = self.public_key.id

    @property
    def key_id(self) -> str:
        return self._key_id

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return crypto_sign(message, self._secret)[:crypto_sign_BYTES]

    def derive(self, purpose: bytes) -> bytes:
        """32 secret bytes for another use; changes when the key is rotated."""
        kdf = HKDF(algorithm=SHA256(), length=32, salt=_DERIVE_SALT, info=purpose)
        return kdf.derive(self._secret[:SEED_SIZE])


class EphemeralSigner(Ed25519Signer):
    """A key that lives and dies with this process, for ledgers that do so too.

    Nobody can check its receipts later unless `public_key` was written down while it lived.
    """

    def __init__(self) -> None:
        super().__init__(os.urandom(SEED_SIZE))
