"""Who looks again and again does so only where something may have changed."""

import pytest

from mutx.kit.errors import Unavailable
from mutx.storage.looks import Looks


class Units:
    """As much of a database as a look asks of it."""

    def __init__(self, units: int | None) -> None:
        self.units = units


class Looking:
    def __init__(self, units: int | None) -> None:
        self.database = Units(units)
        self.looks = Looks(self.database)  # type: ignore[arg-type] # it reads `units` alone
        self.taken = 0
        self.broken = False

    async def look(self) -> None:
        self.taken += 1
        if self.broken:
            raise Unavailable("the store is away")

    async def once(self) -> int:
        await self.looks.take(self.look)
        return self.taken


async def test_alone_on_a_database_it_looks_after_units_of_work() -> None:
    one = Looking(0)
    assert [await one.once(), await one.once()] == [1, 1]
    one.database.units = 1
    assert [await one.once(), await one.once()] == [2, 2]
    one.looks.again()
    assert [await one.once(), await one.once()] == [3, 3]


async def test_a_look_that_failed_is_taken_again() -> None:
    one = Looking(0)
    one.broken = True
    for count in (1, 2):
        with pytest.raises(Unavailable):
            await one.once()
        assert one.taken == count
    one.broken = False
    assert [await one.once(), await one.once()] == [3, 3]


async def test_what_calls_for_another_look_meanwhile_is_not_lost() -> None:
    one = Looking(0)

    async def look() -> None:
        await one.look()
        one.looks.again()

    await one.looks.take(look)
    assert await one.once() == 2


async def test_beside_other_processes_every_look_is_taken() -> None:
    one = Looking(None)
    assert [await one.once(), await one.once()] == [1, 2]
