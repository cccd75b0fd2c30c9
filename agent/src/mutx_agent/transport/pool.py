"""Idle connections, kept for the next call of the same process."""

import os
import threading
import weakref
from typing import Generic, Protocol, TypeVar

IDLE_CONNECTIONS = 8


class Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


class Pool(Generic[C]):
    """A connection belongs to one caller at a time. A forked child starts with none: sharing one would mix answers.

    What is idle when the pool or the process ends is closed then, so a program may simply end.
    """

    def __init__(self) -> None:
        self._idle: list[C] = []
        weakref.finalize(self, _close_all, self._idle)
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def take(self) -> C | None:
        with self._lock:
            if self._pid != os.getpid():
                _close_all(self._idle)  # the child's copies; the parent's stay open
                self._pid = os.getpid()
            return self._idle.pop() if self._idle else None

    def give(self, connection: C) -> None:
        with self._lock:
            if len(self._idle) < IDLE_CONNECTIONS and self._pid == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            _close_all(self._idle)


def _close_all(idle: list[C]) -> None:
    while idle:
        idle.pop().close()
