"""SQLite's connections as SQLAlchemy sees them: few hand-overs to their threads, and nothing else that differs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from mutx.storage.dialect import configure
from mutx.storage.sqlite_driver import AT_ONCE, OneHopConnection, open_connection


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", async_creator=lambda: open_connection(str(path), "BEGIN IMMEDIATE"), pool_size=1
    )
    configure(engine.sync_engine, writes=True)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
    yield engine
    await engine.dispose()


async def _insert(connection: AsyncConnection, *numbers: int) -> int:
    done = await connection.execute(text("INSERT INTO numbers VALUES (:n)"), [{"n": n} for n in numbers])
    return done.rowcount


async def _all(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.scalars(text("SELECT n FROM numbers ORDER BY n"))).all())


async def test_a_view_costs_one_hand_over_for_its_question_and_one_for_its_end(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine.begin() as connection:
        assert await _insert(connection, 1, 2) == 2
    seen: list[int] = []
    plain = OneHopConnection.hand_over

    async def counted(self: OneHopConnection, call):  # type: ignore[no-untyped-def]
        seen.append(1)
        return await plain(self, call)

    monkeypatch.setattr(OneHopConnection, "hand_over", counted)
    assert await _all(engine) == [1, 2]
    assert len(seen) == 2
    async with engine.begin():
        pass
    assert len(seen) == 2


async def test_an_answer_of_many_rows_comes_in_parts_and_whole(engine: AsyncEngine) -> None:
    count = 2 * AT_ONCE + 7
    async with engine.begin() as connection:
        await _insert(connection, *range(count))
    assert await _all(engine) == list(range(count))
    every = text("SELECT n FROM numbers ORDER BY n")
    async with engine.connect() as connection:
        assert [n async for n in await connection.stream_scalars(every)] == list(range(count))
        some = await connection.stream(every)
        assert await some.fetchone() == (0,)
        assert await some.fetchmany(AT_ONCE) == [(n,) for n in range(1, AT_ONCE + 1)]
        assert await some.fetchone() == (AT_ONCE + 1,)
        await some.close()
        rest = await connection.stream(every)
        assert len(await rest.fetchall()) == count
        assert await rest.fetchone() is None


async def test_what_a_cancelled_caller_left_under_way_is_undone(engine: AsyncEngine) -> None:
    """The statement runs on in its thread; the transaction ends all the same, and the connection serves the next caller."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def told(*_: object) -> None:
        loop.call_later(0.05, begun.set)

    async def slow() -> None:
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO numbers WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 300000)"
                    " SELECT n FROM up"
                )
            )

    task = asyncio.create_task(slow())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _all(engine) == []
    async with engine.begin() as connection:
        await _insert(connection, 5)
    assert await _all(engine) == [5]


async def test_a_statement_that_fails_leaves_what_its_savepoint_keeps(engine: AsyncEngine) -> None:

    async def fail(connection: AsyncConnection) -> None:
        async with connection.begin_nested():
            await _insert(connection, 2)
            await connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    async with engine.begin() as connection:
        await _insert(connection, 1)
        with pytest.raises(OperationalError):
            await fail(connection)
        await _insert(connection, 3)
    assert await _all(engine) == [1, 3]


async def test_a_file_that_somebody_else_writes_is_waited_for_and_then_refused(engine: AsyncEngine, path: Path) -> None:
    """The transaction begins with its first statement, and fails with it."""
    other = await open_connection(str(path), "BEGIN IMMEDIATE")
    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=50")
        await connection.rollback()
        other.begin()
        await other.cursor().execute("INSERT INTO numbers VALUES (9)")
        with pytest.raises(OperationalError, match="locked"):
            await _insert(connection, 1)
        await connection.rollback()
        await other.rollback()
        assert await _insert(connection, 1) == 1
        await connection.commit()
    await other.close()
    assert await _all(engine) == [1]
