"""A start waits for its database, brings it up to date, and tells what is not as declared; it mends nothing."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, text
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from mutx.kit.errors import SetupError, Unavailable
from mutx.server.db import open_admin
from mutx.server.schema import SchemaKeeper, start_database
from mutx.server.waiting import WaitingRoom
from mutx.server.wiring import build
from mutx.storage.engine import Database
from mutx.storage.pg_database import PostgresDatabase
from tests.faults.world import settings
from tests.postgres import free_port
from tests.tls_road import TlsRoad

UP = [sys.executable, "-c", "from mutx.server.up import main; main()"]


async def metrics(home: Path) -> str:
    plane = await build(settings(home))
    try:
        transport = httpx2.ASGITransport(plane.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return (await http.get("/metrics")).text
    finally:
        await plane.stop()


async def test_drift_is_told_and_left_for_a_person(tmp_path: Path) -> None:
    said = await metrics(tmp_path)
    for gauge in ("drift", "repairs_applied", "repairs_total"):
        assert f"mutx_runtime_schema_{gauge} 0.0" in said
    damage(tmp_path, "DROP INDEX ix_policies_workspace_id", "DROP TABLE schema_repairs")
    with capture_logs() as logged:
        assert "mutx_runtime_schema_drift 2.0" in await metrics(tmp_path)
    assert [entry["difference"] for entry in logged if "difference" in entry] == [
        "table schema_repairs is missing",
        "index ix_policies_workspace_id is missing",
    ]
    assert "mutx_runtime_schema_drift 2.0" in await metrics(tmp_path)
    mended = await asyncio.to_thread(lambda: open_admin(home=tmp_path).repair())
    said = await metrics(tmp_path)
    assert len(mended) == 2
    assert "mutx_runtime_schema_drift 0.0" in said
    assert "mutx_runtime_schema_repairs_applied 1.0" in said
    assert "mutx_runtime_schema_repairs_total 2.0" in said


def damage(home: Path, *statements: str) -> None:
    engine = create_engine(f"sqlite:///{home / 'mutx.db'}")
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


async def test_an_installation_may_migrate_by_hand(tmp_path: Path) -> None:
    by_hand = settings(tmp_path, database_migrate_on_startup=False)
    with pytest.raises(SetupError, match="mutx db upgrade"):
        await build(by_hand)
    await asyncio.to_thread(lambda: open_admin(home=tmp_path).upgrade())
    await (await build(by_hand)).stop()


def at_port(url: str, port: int) -> str:
    head, _, database = url.rpartition("/")
    return f"{head.rpartition(':')[0]}:{port}/{database}"


async def test_a_start_waits_for_a_database_that_is_not_up(empty_postgres: str) -> None:
    port, there = free_port(), int(empty_postgres.rpartition("/")[0].rpartition(":")[2])
    database: Database = PostgresDatabase(at_port(empty_postgres, port))
    keeper = SchemaKeeper(migrate=True)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await start_database(database, keeper, 0.0)
    starting = asyncio.create_task(start_database(database, keeper, 30.0))
    await asyncio.sleep(0.1)
    assert not starting.done()
    async with TlsRoad(there, None).open(port):
        await starting
        assert keeper.differences == ()
        async with database.read() as session:
            assert await session.scalar(text("SELECT count(*) FROM users")) == 0
        await database.stop()
    wrong = PostgresDatabase(empty_postgres.replace("postgres@", "nobody@"))
    with pytest.raises(SetupError):  # waiting does not help
        await start_database(wrong, keeper, 30.0)


async def test_a_server_may_listen_before_its_database_is_there(tmp_path: Path, empty_postgres: str) -> None:
    port, behind = free_port(), free_port()
    process, url = _up(tmp_path, port, at_port(empty_postgres, behind))
    try:
        assert process.stdout is not None
        assert "waits for its database" in process.stdout.readline()
        async with httpx2.AsyncClient(base_url=url) as http:
            answer = await http.get("/health")
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


async def test_whoever_waits_is_let_in_when_there_is_something() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("in")(scope, receive, send)

    room = WaitingRoom()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(room), base_url="http://here") as http:
        before = await http.post("/v1/governance/decide")
        assert (before.status_code, before.headers["retry-after"]) == (503, "1")
        room.app = app
        assert (await http.get("/")).text == "in"


@pytest.mark.timeout(300)
def test_a_server_that_will_never_have_its_database_ends(tmp_path: Path, empty_postgres: str) -> None:
    process, _ = _up(tmp_path, free_port(), empty_postgres.replace("postgres@", "nobody@"))
    assert process.stdout is not None
    with process.stdout:
        assert process.wait(240) == 1


def _up(home: Path, port: int, url: str) -> tuple[subprocess.Popen[str], str]:
    given = {"MUTX_HOME": str(home), "PORT": str(port), "DATABASE_URL": url, "DATABASE_REQUIRED_ON_STARTUP": "false"}
    process = subprocess.Popen(
        UP, env={**os.environ, **given}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=home
    )
    return process, f"http://127.0.0.1:{port}"
