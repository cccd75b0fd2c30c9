"""One writing process per file, held by a lock that the kernel drops when the process ends, however it ends."""

import fcntl
import os
from pathlib import Path

from mutx.kit.errors import SetupError


class FileLock:
    """An exclusive lock beside `path`: `<path>.lock`."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._held: int | None = None

    def acquire(self) -> None:
        """Raises SetupError if another process, or another ledger in this one, holds it."""
        held = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(held)
            raise SetupError(
                f"another MUTX process writes {self._path.with_suffix('').name}; stop it, or use another database file"
            ) from error
        self._held = held

    def release(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None
