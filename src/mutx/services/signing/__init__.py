"""Signing keys: on disk, in memory, in a ring; rotation, revocation, offline verification."""

from mutx.services.signing.keyfile import FileSigner
from mutx.services.signing.offline import verify_file
from mutx.services.signing.ring import load_ring, open_signer, revoke, rotate, save_ring
from mutx.services.signing.signer import Ed25519Signer, EphemeralSigner

__all__ = [
    "Ed25519Signer",
    "EphemeralSigner",
    "FileSigner",
    "load_ring",
    "open_signer",
    "revoke",
    "rotate",
    "save_ring",
    "verify_file",
]
