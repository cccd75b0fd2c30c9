"""Small files that must be whole and durable or not there."""

import os
import tempfile
from pathlib import Path


def write_draft(path: Path, data: bytes) -> Path:
    """A new file of mode 0600 beside `path`, on disk. Raises OSError."""
    # mkstemp opens with O_EXCL and 0600
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    return Path(name)


def replace_durably(path: Path, data: bytes) -> None:
    """Replace `path` whole. Raises OSError."""
    write_draft(path, data).replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
