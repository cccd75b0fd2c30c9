"""A person's tokens: where they are kept, and how they are renewed without two renewals meeting.

A refresh token that is used twice ends the login (that is how theft shows), so every renewal holds the lock of the
place where the tokens are kept, and looks there first whether somebody else has renewed them.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from mutx.kit.errors import SetupError


class TokenPair(NamedTuple):
    access_token: str
    refresh_token: str

    def __repr__(self) -> str:
        return "TokenPair(***)"


class TokenStore(Protocol):
    """Where tokens live between requests, or between programs."""

    def load(self) -> TokenPair | None: ...

    def save(self, tokens: TokenPair) -> None: ...

    def acquire(self) -> object:
        """Blocks until nobody else renews; what it returns goes to `release`, from any thread."""

    def release(self, held: object) -> None: ...


class MemoryTokens:
    """Tokens of one client in one process."""

    def __init__(self, tokens: TokenPair | None = None) -> None:
        self._tokens = tokens
        self._lock = threading.Lock()

    def load(self) -> TokenPair | None:
        return self._tokens

    def save(self, tokens: TokenPair) -> None:
        self._tokens = tokens

    def acquire(self) -> object:
        return self._lock.acquire()

    def release(self, held: object) -> None:
        self._lock.release()


class FileTokens:
    """Tokens in a file of one's own (0600), shared by every program of this person on this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> TokenPair | None:
        content = read_private(self.path)
        if "access_token" not in content or "refresh_token" not in content:
            return None
        return TokenPair(str(content["access_token"]), str(content["refresh_token"]))

    def save(self, tokens: TokenPair) -> None:
        write_private(self.path, read_private(self.path) | tokens._asdict())

    def acquire(self) -> object:
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def release(self, held: object) -> None:
        assert isinstance(held, int)
        os.close(held)


@contextmanager
def renewing(store: TokenStore) -> Iterator[None]:
    held = store.acquire()
    try:
        yield
    finally:
        store.release(held)


def read_private(path: Path) -> dict[str, object]:
    """A JSON object from a file that only its owner may read; empty if there is none. Raises SetupError."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise SetupError(f"{path} holds secrets and others may read it: run `chmod 600 {path}`")
            content = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read ({error}): run `mutx login` to write it anew") from error
    if not isinstance(content, dict):
        raise SetupError(f"{path} is not a JSON object: run `mutx login` to write it anew")
    return content


def write_private(path: Path, content: dict[str, object]) -> None:
    """Replace the file in one step; at no time can others read it or half of it be seen."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
