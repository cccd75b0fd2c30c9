"""The private key on disk: PKCS#8 PEM (RFC 8410), readable by its owner only."""

import errno
import os
import stat
from base64 import b64encode
from binascii import a2b_base64
from contextlib import suppress
from pathlib import Path

from mutx.kit.errors import KeyUnusable
from mutx.services.signing.files import replace_durably, sync_folder, write_draft
from mutx.services.signing.signer import SEED_SIZE, Ed25519Signer

_BEGIN, _END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
_PKCS8_PREFIX = bytes.fromhex("302e020100300506032b657004220420")
_MAX_SIZE = 4096


class FileSigner(Ed25519Signer):
    """A key kept in a file of mode 0600."""

    def __init__(self, path: Path, *, may_create: bool) -> None:
        """Open the key; make one if there is none and `may_create`, which the caller allows only before any receipt.

        Raises KeyUnusable for a file that is missing, unreadable, open to others, a symbolic link, or no key.
        """
        if may_create and not os.path.lexists(path):
            write_new_key(path)
        super().__init__(read_seed(path))


def write_new_key(path: Path) -> None:
    """Make a key file, whole and durable. One that another process makes meanwhile stays. Raises KeyUnusable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = write_draft(path, _encode(os.urandom(SEED_SIZE)))
        # a link appears whole or not at all, and never replaces a key
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise KeyUnusable(f"cannot write the signing key {path}: {error.strerror}; make its folder writable") from error


def replace_key(path: Path, seed: bytes) -> None:
    """Put another key in a key file's place, whole and durable. Raises KeyUnusable."""
    try:
        replace_durably(path, _encode(seed))
    except OSError as error:
        raise KeyUnusable(f"cannot write the signing key {path}: {error.strerror}; make its folder writable") from error


def read_seed(path: Path) -> bytes:
    """The private key's 32 bytes. Raises KeyUnusable."""
    try:
        # O_NONBLOCK: a pipe in the file's place must not stop the start
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise KeyUnusable(
            f"the signing key {path} is missing; restore the key from your backup, or copy it from another replica: beside "
            "existing receipts it is never regenerated"
        ) from error
    except OSError as error:
        why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise KeyUnusable(f"the signing key {path} cannot be read: {why}") from error
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise KeyUnusable(f"the signing key {path} is not a regular file; restore the key from your backup")
        if info.st_mode & 0o177:
            raise KeyUnusable(
                f"the signing key {path} has mode {stat.S_IMODE(info.st_mode):04o}; run: chmod 600 {path}"
            )
        return _decode(path, os.read(descriptor, _MAX_SIZE))
    finally:
        os.close(descriptor)


def _encode(seed: bytes) -> bytes:
    return f"{_BEGIN}\n{b64encode(_PKCS8_PREFIX + seed).decode()}\n{_END}\n".encode()


def _decode(path: Path, data: bytes) -> bytes:
    try:
        body = data.decode().strip().removeprefix(_BEGIN).removesuffix(_END)
        der = a2b_base64("".join(body.split()), strict_mode=True)
    except ValueError:
        # not chained: the error would carry parts of the file
        raise KeyUnusable(f"{path} holds no PKCS#8 PEM private key; restore the key from your backup") from None
    if not der.startswith(_PKCS8_PREFIX) or len(der) != len(_PKCS8_PREFIX) + SEED_SIZE:
        raise KeyUnusable(f"{path} holds no Ed25519 private key of 32 bytes; restore the key from your backup")
    return der.removeprefix(_PKCS8_PREFIX)
