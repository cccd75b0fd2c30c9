"""Secrets that the server makes for itself and keeps in files only their owner can read."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mutx.kit.errors import KeyUnusable
from mutx.services.signing.files import sync_folder, write_draft


def load_or_create(path: Path, create: Callable[[], bytes]) -> bytes:
    """The file's content; a missing file is made first, whole, durable and with mode 0600.

    Raises KeyUnusable for a file that cannot be read or made, is empty, or is open to others.
    """
    if not os.path.lexists(path):
        try:
            draft = write_draft(path, create())
            with suppress(FileExistsError):  # another process made it meanwhile: then that one counts
                os.link(draft, path)
            draft.unlink()
            sync_folder(path.parent)
        except OSError as error:
            raise KeyUnusable(f"cannot write the key {path}: {error.strerror}; make its folder writable") from error
    return read_private(path)


def read_private(path: Path) -> bytes:
    """The content of a key file. Raises KeyUnusable if it is unreadable, empty, or open to others."""
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise KeyUnusable(f"cannot read the key file {path}: {error.strerror}; check its owner") from error
    if mode & 0o077:
        raise KeyUnusable(f"the key file {path} is open to others; run: chmod 600 {path}")
    if not content:
        raise KeyUnusable(f"the key file {path} is empty; restore it from a backup, or remove it to get a new one")
    return content
