"""A full disk and a locked database under a running control plane: a refusal with its code, and service when it is over."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from mutx.storage.writer import WriteBatch
from tests.faults.world import World, assert_refused, call

LARGE = {"text": "x" * 200_000}
ROOM = 2**32 - 2

HOLDS_THE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def limit(batch: WriteBatch, pages: int) -> None:
    batch.connection.execute(f"PRAGMA max_page_count={pages}")


async def limit_units(world: World, pages: int) -> None:
    """The same for the connection that slices write with."""
    async with world.plane.services.database.write() as session:
        await session.execute(text(f"PRAGMA max_page_count={pages}"))


async def test_a_full_disk_allows_nothing(world: World) -> None:
    kept = await world.decide("read")
    await world.plane.services.database.writer.execute(lambda batch: limit(batch, 1))
    answer = await world.operator.post("/v1/governance/decide", json=call("read", **LARGE, _action_id="0123456789"))
    assert_refused(answer, 507, "storage_full")
    assert "retry-after" in answer.headers
    missing = await world.operator.get("/v1/governance/actions/0123456789")
    assert_refused(missing, 404, "not_found")
    # A new connection has no such limit: space has come back.
    again = await world.decide("read", **LARGE, _action_id="0123456789")
    assert (again["effect"], again["replayed"], again["seq"]) == ("allow", False, kept["seq"] + 1)


async def test_a_full_disk_keeps_the_policy_that_is_in_force(world: World) -> None:
    larger = {"name": "house", "document": "name: house\nrules: []\n" + "# nothing\n" * 10_000}
    await limit_units(world, 1)
    assert_refused(await world.operator.put("/v1/policies/house", json=larger), 507, "storage_full")
    await limit_units(world, ROOM)
    assert (await world.decide("read"))["effect"] == "allow"
    assert (await world.operator.get("/v1/policies/house")).json()["version"] == 1


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process is in the middle of writing this file."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_LOCK, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
        other.kill()


async def test_a_locked_database_answers_503_until_it_is_free(world: World) -> None:
    kept = await world.decide("read")
    with locked(world.plane.services.database.path):
        decided, written = await asyncio.gather(
            world.operator.post("/v1/governance/decide", json=call("read", _action_id="0123456789")),
            world.operator.post("/v1/agents", json={"name": "another"}),
        )
        assert_refused(decided, 503, "ledger_unavailable")
        assert written.status_code == 503
        standing = await world.operator.get(f"/v1/governance/actions/{kept['action_id']}")
        assert standing.status_code == 200  # readers do not wait for writers
    again = await world.decide("read", _action_id="0123456789")
    assert (again["effect"], again["seq"]) == ("allow", kept["seq"] + 1)


async def test_the_live_connections_are_durable(world: World) -> None:
    def modes(batch: WriteBatch) -> tuple[str, int]:
        read: sqlite3.Connection = batch.connection
        return read.execute("PRAGMA journal_mode").fetchone()[0], read.execute("PRAGMA synchronous").fetchone()[0]

    assert await world.plane.services.database.writer.execute(modes) == ("wal", 2)
