"""The key ring on disk: every public key this installation ever signed with, as a JWK set."""

import os
from pathlib import Path

from mutx.governance.keys import KeyRing, PublicKey, read_keys
from mutx.kit.clock import rfc3339
from mutx.kit.errors import KeyUnusable
from mutx.services.signing.files import replace_durably
from mutx.services.signing.keyfile import FileSigner, replace_key
from mutx.services.signing.signer import SEED_SIZE, Ed25519Signer


def load_ring(path: Path) -> KeyRing:
    """The ring; an empty one if there is no file. Raises KeyUnusable."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return KeyRing()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"the key ring {path} cannot be read: {error}") from error
    return KeyRing(read_keys(text))


def save_ring(path: Path, ring: KeyRing) -> None:
    """Write the ring, whole and durable. Raises KeyUnusable."""
    try:
        replace_durably(path, ring.to_json() + b"\n")
    except OSError as error:
        raise KeyUnusable(f"cannot write the key ring {path}: {error.strerror}; make its folder writable") from error


def open_signer(key_path: Path, ring_path: Path, *, may_create: bool, now: float) -> FileSigner:
    """The signer for a start: its key is in the ring, neither revoked nor retired. `now`: seconds.

    Raises KeyUnusable, see `FileSigner`, and for a revoked or a retired key.
    """
    signer = FileSigner(key_path, may_create=may_create)
    ring = load_ring(ring_path)
    known = ring.get(signer.key_id)
    if known is None:
        save_ring(ring_path, ring.with_key(_fresh(signer, now)))
    elif known.revoked_at is not None:
        raise KeyUnusable(f"the signing key {signer.key_id} was revoked at {known.revoked_at}; rotate the key")
    elif known.retired_at is not None:
        raise KeyUnusable(
            f"the signing key {signer.key_id} was retired at {known.retired_at}, and no receipt of it would verify; put "
            f"the key that came after it into {key_path}, or rotate again: mutx keys rotate"
        )
    return signer


def rotate(key_path: Path, ring_path: Path, *, now: float) -> FileSigner:
    """Replace the private key. The old public key stays in the ring as retired; its receipts up to `now` verify.

    Stop every process that holds the old key first: what it signs after `now` (seconds) fails. Raises KeyUnusable.
    """
    old = FileSigner(key_path, may_create=False)
    seed = os.urandom(SEED_SIZE)
    ring = load_ring(ring_path)
    if ring.get(old.key_id) is None:
        ring = ring.with_key(old.public_key)
    # the ring first: a crash between the two writes leaves a key that was announced and never used, and one that is
    # retired and starts nothing more; rotating again mends it
    save_ring(ring_path, ring.retire(old.key_id, rfc3339(now)).with_key(_fresh(Ed25519Signer(seed), now)))
    replace_key(key_path, seed)
    return FileSigner(key_path, may_create=False)


def revoke(ring_path: Path, key_id: str, *, at: float, reason: str) -> KeyRing:
    """Mark a key as not to be believed from `at` (seconds) on. Raises KeyUnusable for an unknown key."""
    ring = load_ring(ring_path).revoke(key_id, rfc3339(at), reason)
    save_ring(ring_path, ring)
    return ring


def _fresh(signer: Ed25519Signer, now: float) -> PublicKey:
    return PublicKey(raw=signer.public_key.raw, created_at=rfc3339(now))
