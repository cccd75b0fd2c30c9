"""Copies of a SQLite database, taken while it is written, in a file that only its owner reads."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError

from mutx.kit.errors import SetupError
from mutx.storage.file_lock import FileLock

T = TypeVar("T")


def backup(source: Path, target: Path) -> None:
    """Copy the database at `source`, as of one moment, to `target`. Raises SetupError."""
    if not source.exists():
        raise SetupError(f"there is no database at {source}; nothing to back up")
    if target.exists() and target.samefile(source):
        raise SetupError(f"{target} is the database itself; name another file")
    with _copied(source, target) as new:
        new.replace(target)


def look(source: Path, view: Callable[[Connection], T]) -> T:
    """What `view` finds in a copy, which stays as it is. Raises SetupError."""
    if not source.is_file():
        raise SetupError(f"there is no file {source}")
    uri = f"{source.absolute().as_uri()}?mode=ro"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True))
    try:
        with engine.connect() as connection:
            return view(connection)
    except DBAPIError as error:
        raise SetupError(f"{source} cannot be read: {error.orig}") from error
    finally:
        engine.dispose()


def restore(source: Path, target: Path) -> None:
    """Put the sound copy at `source` in the place of `target`, which nobody may have open.

    Raises SetupError: the copy is damaged, or a control plane runs on `target`.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(target)
    lock.acquire()
    try:
        with _copied(source, target) as new:
            for rest in ("-wal", "-shm"):  # first: what they hold must never be taken for the copy's
                target.with_name(target.name + rest).unlink(missing_ok=True)
            new.replace(target)
    finally:
        lock.release()


@contextmanager
def _copied(source: Path, target: Path) -> Iterator[Path]:
    """A sound copy on disk beside the target, to be put in its place inside the context."""
    try:
        with _beside(target) as new:
            with (
                closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
                closing(sqlite3.connect(new)) as copy,
            ):
                old.backup(copy)
                _check(copy, source)
                copy.execute("PRAGMA journal_mode=DELETE")
            _sync(new)
            yield new
            _sync(target.parent)
    except sqlite3.Error as error:
        raise SetupError(f"{source} cannot be copied: {error}") from error
    except OSError as error:
        raise SetupError(f"cannot write {target}: {error.strerror}") from error


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    new = target.with_name(f".{target.name}.{os.getpid()}")
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield new
    finally:
        with suppress(FileNotFoundError):
            new.unlink()


def _check(copy: sqlite3.Connection, source: Path) -> None:
    found = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise SetupError(f"{source} is damaged ({found[0]}); take another copy")


def _sync(path: Path) -> None:
    held = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(held)
    finally:
        os.close(held)
