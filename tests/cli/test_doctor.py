"""`mutx doctor`, on installations that are sound and on those that are not."""

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mutx.cli import health_checks
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("address")


def findings(run: Run, exits: int = 0) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in json.loads(run("doctor", "--json", exits=exits).stdout)}


@contextmanager
def answering(words: bytes) -> Iterator[int]:
    """A server that says one thing to everybody; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(64)
                peer.sendall(words)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_sound_installation(run: Run, plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUTX_HOME", str(plane.home))
    found = findings(run)
    sound = ("home", "keys", "disk", "database", "migrations", "server", "queue", "monitor", "clock")
    assert {name: found[name]["health"] for name in sound} == dict.fromkeys(sound, "healthy")
    assert found["migrations"]["detail"].endswith("as this release declares it")
    assert found["redis"]["health"] == "note"


def test_nothing_here_and_no_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUTX_URL", "http://127.0.0.1:9")
    found = findings(run, exits=1)
    assert found["server"]["health"] == "unhealthy"
    assert "mutx up" in found["server"]["remedy"]
    assert {found[name]["health"] for name in ("migrations", "redis", "queue", "monitor")} == {"note"}


def test_a_database_that_was_not_brought_up_to_date(run: Run, home: Path) -> None:
    home.mkdir(mode=0o700)
    with closing(sqlite3.connect(home / "mutx.db")) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('0001')")
        database.commit()
    found = findings(run, exits=1)["migrations"]
    assert (found["health"], found["remedy"]) == ("unhealthy", "run `mutx db upgrade`")


def test_a_database_that_is_none(run: Run, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "mutx.db").write_bytes(b"not a database" * 100)
    found = findings(run, exits=1)
    assert (found["database"]["health"], found["migrations"]["health"]) == ("unhealthy", "unhealthy")


@pytest.mark.parametrize(
    ("words", "health"),
    [(b"+PONG\r\n", "healthy"), (b"-NOAUTH Authentication required.\r\n", "healthy"), (b"HTTP/1.1", "unhealthy")],
)
def test_redis(run: Run, monkeypatch: pytest.MonkeyPatch, words: bytes, health: str) -> None:
    with answering(words) as port:
        monkeypatch.setenv("REDIS_URL", f"redis://:s3cr3t-of-redis@127.0.0.1:{port}/0")
        result = run("doctor", "--json", exits=0 if health == "healthy" else 1).stdout
    found = {each["check"]: each for each in json.loads(result)}
    assert found["redis"]["health"] == health
    assert "s3cr3t" not in result


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock", "rediss://127.0.0.1:1", "redis://x:y"]
)
def test_no_redis(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    found = findings(run, exits=1)["redis"]
    assert found["health"] == "unhealthy"
    assert "REDIS_URL" in found["remedy"]


def test_a_disk_that_fills_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_checks, "ROOMY_MIB", 2**40)
    assert findings(run)["disk"]["health"] == "note"
    monkeypatch.setattr(health_checks, "FREE_MIB", 2**40)
    assert findings(run, exits=1)["disk"]["health"] == "unhealthy"


def test_a_part_that_is_ill(run: Run, plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the server says it: what is wrong, and after the semicolon what to do."""
    from mutx.contract.health import Component
    from mutx.sdk.transport import SyncTransport

    original = SyncTransport.call

    def ill(self: Any, op: Any, *args: Any, **kwargs: Any) -> Any:
        answer = original(self, op, *args, **kwargs)
        if op.name == "health":
            sick = Component(status="unhealthy", reason="events wait for 900 s; the log names the sink")
            return answer.model_copy(update={"components": {**answer.components, "queue": sick}})
        return answer

    monkeypatch.setattr(SyncTransport, "call", ill)
    found = findings(run, exits=1)
    assert (found["queue"]["detail"], found["queue"]["remedy"]) == ("events wait for 900 s", "the log names the sink")
    assert "queue" in found["server"]["detail"]


def test_a_database_on_a_server(run: Run, empty_postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_postgres)
    found = findings(run, exits=1)
    assert found["database"]["health"] == "healthy"
    assert found["database"]["detail"].startswith("PostgreSQL ")
    assert (found["migrations"]["health"], found["migrations"]["remedy"]) == ("unhealthy", "run `mutx db upgrade`")


def test_a_database_server_that_is_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://mutx:s3cr3t-of-postgres@127.0.0.1:1/mutx")
    result = run("doctor", "--json", exits=1).stdout
    found = {each["check"]: each for each in json.loads(result)}
    for name in ("database", "migrations"):
        assert (found[name]["health"], "DATABASE_URL" in found[name]["remedy"]) == ("unhealthy", True)
    assert "s3cr3t" not in result


@pytest.mark.parametrize(
    ("differs", "health", "says"),
    [
        ({"major": 14}, "unhealthy", "15 or newer"),
        ({"writable": False}, "unhealthy", "primary"),
        ({"private": False}, "note", "verify-full"),
    ],
)
def test_a_database_server_that_will_not_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, differs: dict[str, Any], health: str, says: str
) -> None:
    """Such servers are not at hand, so what one says of itself is changed."""
    from mutx.cli import checks

    class Admin:
        def reached(self) -> dict[str, Any]:
            return {"server": "PostgreSQL 16.2", "major": 16, "writable": True, "private": True, **differs}

        def current(self) -> dict[str, Any]:
            return {"revision": "1", "newest": "1", "differences": []}

    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.org/mutx")
    monkeypatch.setattr(checks, "_admin", Admin)
    found = findings(run, exits=1 if health == "unhealthy" else 0)["database"]
    assert (found["health"], says in found["remedy"]) == (health, True)
