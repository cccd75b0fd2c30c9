"""What the process remembers is bounded, and what is under way is never forgotten."""

import pytest
from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator
from mutx.governance.ports import SessionState
from mutx.governance.types import Charge
from mutx.kit.errors import HeadMoved
from mutx.storage.actions import RecentActions
from mutx.storage.counters import Counters
from mutx.storage.ledger import SqliteLedger
from mutx.storage.sessions import SessionCache
from tests.conformance.scribe import Scribe


def state(name: str) -> SessionState:
    context = ContextAccumulator().new(workspace_id="ws", session_id=name, agent_id="", user_id="", now=0.0)
    return SessionState(context, "head", 0, 0.0, None)


def test_the_session_used_longest_ago_goes_first() -> None:
    cache = SessionCache(limit=2)
    for name in ("a", "b"):
        cache.put(("ws", name), state(name), stored=True)
    cache.get(("ws", "a"))
    cache.put(("ws", "c"), state("c"), stored=True)
    assert [cache.get(("ws", name)) is not None for name in ("a", "b", "c")] == [True, False, True]


def test_a_session_with_writes_under_way_stays() -> None:
    cache = SessionCache(limit=1)
    busy = state("busy")
    cache.begin(("ws", "busy"), busy)
    cache.put(("ws", "next"), state("next"), stored=True)
    assert cache.get(("ws", "busy")) is busy
    cache.end(("ws", "busy"), busy, failed=False)
    cache.put(("ws", "last"), state("last"), stored=True)
    assert cache.get(("ws", "busy")) is None
    assert len(cache) == 1


def test_a_second_state_of_one_session_is_stale() -> None:
    cache = SessionCache()
    held, other = state("s"), state("s")
    assert cache.put(("ws", "s"), held, stored=True) is held
    assert cache.put(("ws", "s"), other, stored=True) is held
    with pytest.raises(HeadMoved):
        cache.begin(("ws", "s"), other)
    cache.begin(("ws", "s"), held)
    cache.end(("ws", "s"), other, failed=True)
    assert cache.get(("ws", "s")) is held


def test_counters_are_read_once_kept_in_step_and_read_again_after_a_failure() -> None:
    stored = {"a": 5, "b": 1}
    reads: list[str] = []

    def read(_: str, key: str) -> int:
        reads.append(key)
        return stored.get(key, 0)

    counters = Counters(read, limit=2)
    charge = [Charge("a", 2, 100, 0.0)]
    counters.begin("ws", charge)
    counters.begin("ws", charge)
    assert counters.value("ws", "a") == 9
    stored["a"] = 7
    counters.end("ws", charge, failed=False)
    counters.end("ws", charge, failed=True)
    assert reads == ["a"]
    assert counters.value("ws", "a") == 7
    assert reads == ["a", "a"]
    counters.begin("ws", charge)
    for key in ("b", "c", "d"):
        counters.value("ws", key)
    assert counters.value("ws", "a") == 9
    assert counters.value("ws", "b") == 1


async def test_a_small_memory_of_actions_falls_back_on_the_store(ledger: SqliteLedger, scribe: Scribe) -> None:
    ledger._actions = RecentActions(limit=1)
    first, request = await scribe.wait("s-1")
    await ledger.redeem("ws-1", first.action.id, "p", 3.0)
    second = await scribe.allow("s-2")
    known = await ledger.action("ws-1", first.action.id)
    assert known is not None
    assert (known.request, known.redeemed_at, known.action) == (request, 3.0, first.action)
    await scribe.conclude(second)
    large = await scribe.allow("s-3", text="x" * 10_000)
    assert ledger._actions.get("ws-1", large.action.id) is None
    known = await ledger.action("ws-1", large.action.id)
    assert known is not None
    assert known.action == large.action
    assert ledger._actions.get("ws-1", first.action.id) is None
    await ledger.save_request(replace(request, revision=1), ())
