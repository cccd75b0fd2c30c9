"""Reading connections beside the writer: a few threads for queries, one connection for point reads in place."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, local
from typing import Concatenate, ParamSpec, TypeVar

from mutx.storage.dialect import refusal

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2


class Readers:
    """Runs functions over a connection that cannot write."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mutx-reader")
        self._mine = local()
        self._open: list[sqlite3.Connection] = []
        self._lock = Lock()

    async def __call__(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a query on a thread. Raises Unavailable."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: self.now(query, *args, **kwargs))

    def now(self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query here and now: for reads of one row, which cost microseconds. Raises Unavailable."""
        try:
            return query(self._connection(), *args, **kwargs)
        except sqlite3.Error as error:
            raise refusal(error) from error

    def close(self) -> None:
        self._threads.shutdown()
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _connection(self) -> sqlite3.Connection:
        """This thread's own."""
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = self._connect()
            with self._lock:
                self._open.append(connection)
        return connection
