"""kill -9 in the middle of appending: what was acknowledged is there, what is there is whole, and the chain goes on."""

import multiprocessing
import random
import sqlite3
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from mutx.governance.chain import genesis
from mutx.governance.context import ContextAccumulator, SessionContext
from mutx.kit.canonical import sha256_hex
from mutx.storage.codec import decode_turn
from tests.chaos import appender

WS = "ws-1"


class Auditor:
    """Walks each session on from where the last round left it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._accumulator = ContextAccumulator()
        self._contexts: dict[str, SessionContext] = {}
        self._heads: dict[str, tuple[int, str]] = {}
        self.turns = 0

    def check(self, acknowledged: list[tuple[str, int, str]]) -> None:
        """Every acknowledged turn is there, every turn there is whole, and nothing else is."""
        with sqlite3.connect(self._path) as db:
            receipts = set(self._walk(db))
            assert {receipt for _, _, receipt in acknowledged} <= receipts
            rows = db.execute("SELECT session_id, seq, head FROM ledger_sessions").fetchall()
            assert {session: (seq, head) for session, seq, head in rows} == self._heads
            ((charged,),) = db.execute("SELECT coalesce(sum(value), 0) FROM ledger_counters")
            ((charging,),) = db.execute(
                "SELECT count(*) FROM ledger_turns WHERE kind = 'decision' AND effect = 'allow'"
            )
            assert charged == charging
            ((asked,),) = db.execute("SELECT count(*) FROM approval_requests")
            ((asking,),) = db.execute("SELECT count(*) FROM ledger_turns WHERE effect = 'step_up'")
            assert asked == asking
            ((told,),) = db.execute("SELECT count(*) FROM outbox")
            ((decided,),) = db.execute("SELECT count(*) FROM ledger_turns WHERE kind = 'decision'")
            assert told == decided + self.turns + asked
        db.close()

    def _walk(self, db: sqlite3.Connection) -> list[str]:
        found = []
        for name in [row[0] for row in db.execute("SELECT session_id FROM ledger_sessions")]:
            seq, head = self._heads.get(name, (0, genesis(WS, name)))
            context = self._contexts.get(name) or self._accumulator.new(
                workspace_id=WS, session_id=name, agent_id="", user_id="", now=0.0
            )
            rows = db.execute(
                "SELECT body, envelope, sealed FROM ledger_turns WHERE session_id = ? AND seq > ? ORDER BY seq",
                (name, seq),
            )
            for turn in (decode_turn(*row) for row in rows):
                assert (turn.seq, turn.prev) == (seq + 1, head)
                assert sha256_hex(turn.receipt.envelope) == turn.receipt.hash
                assert turn.facts.context_hash == context.hash
                self._accumulator.apply(context, self._accumulator.decode_delta(turn.delta))
                seq, head = turn.seq, turn.receipt.hash
                found.append(turn.receipt.id)
            self._contexts[name], self._heads[name] = context, (seq, head)
        self.turns += len(found)
        return found


def kill_rounds(path: Path, rounds: int, seed: int) -> Auditor:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.appender"])
    auditor, chance = Auditor(path), random.Random(seed)
    for _ in range(rounds):
        auditor.check(_one_life(context, path, chance))
    return auditor


def _one_life(context: ForkServerContext, path: Path, chance: random.Random) -> list[tuple[str, int, str]]:
    """Start, let it work for a random while, kill; what it had acknowledged by then."""
    heard, tell = context.Pipe(duplex=False)
    child = context.Process(target=appender.run, args=(path, tell, chance.randrange(2**32)), daemon=True)
    child.start()
    tell.close()
    acknowledged = []
    try:
        for _ in range(chance.randrange(1, 60)):
            session, seq, receipt = heard.recv_bytes().decode().split()
            acknowledged.append((session, int(seq), receipt))
        child.kill()
        while True:
            session, seq, receipt = heard.recv_bytes().decode().split()
            acknowledged.append((session, int(seq), receipt))
    except EOFError:
        child.join()
        assert child.exitcode == -9
    finally:
        heard.close()
        child.close()
    return acknowledged


@pytest.mark.timeout(300)
def test_two_hundred_kills(tmp_path: Path) -> None:
    auditor = kill_rounds(tmp_path / "mutx.db", 200, seed=7)
    assert auditor.turns > 200 * 10


@pytest.mark.soak
def test_ten_thousand_kills(tmp_path: Path) -> None:
    for part in range(50):
        kill_rounds(tmp_path / f"mutx-{part}.db", 200, seed=part)
