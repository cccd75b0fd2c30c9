"""Several processes on one PostgreSQL, on the same sessions: one is killed, then the server crashes and comes back.

No fork, no lost turn, no approval or permit consumed twice, no limit passed, no event lost.
"""

import multiprocessing
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from mutx.governance.keys import KeyRing
from mutx.governance.verify import verify_session
from tests import postgres as pg
from tests.chaos import replica

KEYS = KeyRing((replica.SIGNER.public_key,))


@pytest.fixture
def server() -> Iterator[pg.Postgres]:
    """A server of one's own, to be crashed."""
    with pg.running(Path(tempfile.gettempdir()) / f"mutx-pg-chaos-{os.getpid()}") as found:
        yield found


class Fleet:
    """The processes, and what they told."""

    def __init__(self, url: str) -> None:
        self.told: defaultdict[str, list[str]] = defaultdict(list)
        self._url = url
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.replica"])
        self._children: dict[Connection, Any] = {}
        self._started = 0

    def start(self, seed: int) -> None:
        heard, tell = self._context.Pipe(duplex=False)
        child = self._context.Process(target=replica.run, args=(self._url, tell, seed), daemon=True)
        child.start()
        tell.close()
        self._children[heard] = child
        self._started += 1

    def listen(self, more: int) -> None:
        """Until so many turns more were acknowledged."""
        enough = len(self.told["turn"]) + more
        self._hear(lambda: len(self.told["turn"]) >= enough)

    def kill(self) -> None:
        """One of them, in the middle of whatever it does."""
        self._all_ready()
        next(iter(self._children.values())).kill()

    def end(self) -> list[int]:
        """Let each finish what is under way; their exit statuses."""
        self._all_ready()
        children = list(self._children.values())
        for child in children:
            child.terminate()
        self._hear(lambda: not self._children)
        return [child.exitcode for child in children]

    def _all_ready(self) -> None:
        self._hear(lambda: len(self.told["ready"]) >= self._started)

    def _hear(self, enough: Callable[[], bool]) -> None:
        while not enough():
            ready = wait(list(self._children), timeout=60)
            assert ready, "the replicas fell silent"
            for heard in ready:
                assert isinstance(heard, Connection)
                try:
                    what, _, rest = heard.recv_bytes().decode().partition(" ")
                    self.told[what].append(rest)
                except EOFError:
                    self._children.pop(heard).join()
                    heard.close()


@pytest.mark.timeout(400)
async def test_replicas_survive_a_kill_and_a_crash_of_the_server(server: pg.Postgres) -> None:
    url = server.url(server.migrated())
    fleet = Fleet(url)
    for seed in range(3):
        fleet.start(seed)
    fleet.listen(150)
    fleet.kill()
    fleet.start(3)
    fleet.listen(100)
    data = server.folder / "data"
    server._run("pg_ctl", "-D", data, "-l", data / "log", "-m", "immediate", "-w", "-t", "60", "restart")
    fleet.listen(200)
    assert fleet.end() == [0, 0, 0]

    assert fleet.told["unavailable"] == []
    db = await asyncpg.connect(url)
    try:
        await check(db, fleet.told)
    finally:
        await db.close()


async def check(db: Any, told: dict[str, list[str]]) -> None:
    """Everything that was told is there, and everything there is right."""
    recorded = set()
    for session, head, seq in await db.fetch("SELECT session_id, head, seq FROM ledger_sessions"):
        rows = await db.fetch(
            "SELECT receipt_id, envelope FROM ledger_turns WHERE session_id = $1 ORDER BY seq", session
        )
        chain = verify_session([row[1] for row in rows], KEYS, workspace_id=replica.WS, session_id=session)
        assert (chain.head, chain.count) == (head, seq)
        recorded |= {row[0] for row in rows}
    assert set(told["turn"]) <= recorded

    resolved = await db.fetch(
        "SELECT action_id, count(*), max(decided_by) FROM ledger_turns WHERE kind = 'resolution' GROUP BY action_id"
    )
    assert {count for _, count, _ in resolved} == {1}
    by_person = {action for action, _, by in resolved if by == "user-2"}
    assert by_person >= set(told["approved"])
    assert len(set(told["approved"])) == len(told["approved"]) > 0
    assert any(by == "system" for *_, by in resolved)  # deadlines, each by one sweep
    spent = await db.fetch("SELECT action_id FROM ledger_redemptions")
    assert {row[0] for row in spent} >= set(told["redeemed"])
    assert len(set(told["redeemed"])) == len(told["redeemed"]) > 0

    allowed = await db.fetch(
        """SELECT session_id, count(*) FROM ledger_turns
        WHERE kind = 'decision' AND tool_name = 'scarce' AND effect = 'allow' GROUP BY session_id ORDER BY session_id"""
    )
    charged = await db.fetch("SELECT key, value FROM ledger_counters ORDER BY key")
    assert [count for _, count in allowed] == [value for _, value in charged]
    assert max(count for _, count in allowed) == replica.LIMIT
    denied = "SELECT count(*) FROM ledger_turns WHERE tool_name = 'scarce' AND effect = 'deny'"
    assert await db.fetchval(denied) > 0

    left = await db.fetch(
        "SELECT payload->>'receipt_id' FROM outbox WHERE id > coalesce((SELECT max(last_id) FROM outbox_cursors), 0)"
    )
    assert recorded <= set(told["event"]) | {row[0] for row in left}
    assert told["event"]
