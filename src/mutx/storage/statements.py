"""What the ledger's statements ask of a connection, so that one text serves SQLite and PostgreSQL.

The texts are written in SQLite's manner (`?`, `?1`) and keep to SQL that both speak.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """What a statement found, or how many rows it changed."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Statements(Protocol):
    """A connection that runs one statement after another."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows: ...


class UnitOfWrites(Protocol):
    """A transaction in the making, as a writing function sees it."""

    @property
    def connection(self) -> Statements: ...

    def later(self, statement: str, row: Sequence[Any]) -> None:
        """Write a row that nothing in this transaction reads, just before the commit."""
