"""Verify a file of receipts with nothing but that file and public keys."""

import os
from collections.abc import Iterable
from pathlib import Path

from mutx.governance.export_format import MAX_BYTES
from mutx.governance.keys import KeyRing, PublicKey, read_keys
from mutx.governance.verify import VerificationReport, verify_export
from mutx.kit.errors import KeyUnusable, NotFound

_MAX_KEY_SIZE = 1 << 20


def verify_file(path: str | os.PathLike[str], key_inputs: Iterable[str] = ()) -> VerificationReport:
    """Verify an exported file.

    `key_inputs`: trusted public keys, each the name of a file or the key itself (JWK, JWK set, PEM, base64). Without
    any, the verdict is at best `incomplete`. Raises NotFound for a file that cannot be read, KeyUnusable for a key
    that is none; what is wrong with the receipts is in the report.
    """
    trusted = KeyRing(key for each in key_inputs for key in _keys(each))
    return verify_export(_read(Path(path), MAX_BYTES + 1), trusted)


def _keys(given: str) -> tuple[PublicKey, ...]:
    # a key's own text is no file name: it starts with a brace or a dash, or names nothing on disk
    if given.lstrip()[:1] in {"{", "-"} or not os.path.exists(given):
        return read_keys(given)
    try:
        return read_keys(_read(Path(given), _MAX_KEY_SIZE).decode())
    except (NotFound, UnicodeDecodeError) as error:
        raise KeyUnusable(f"no public key can be read from {given}: {error}") from error


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
