"""Looks at a database that are only worth while if something was written since the last one."""

from collections.abc import Awaitable, Callable

from mutx.storage.engine import Database

NEVER = -1


class Looks:
    """One who looks again and again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: int | None = NEVER

    async def take(self, look: Callable[[], Awaitable[None]]) -> None:
        """`look`, unless nothing can have changed since it last came to its end. Raises what it raises."""
        units = self._database.units
        if units is not None and units == self._seen:
            return
        self._seen, done = units, False
        try:
            await look()
            done = True
        finally:
            if not done:
                self.again()

    def again(self) -> None:
        """What was seen may not be all: the next look is taken in any case."""
        self._seen = NEVER
