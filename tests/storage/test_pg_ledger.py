"""Two processes' ledgers on one PostgreSQL, and what happens when the server, a connection or a value fails them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
import pytest
from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator
from mutx.governance.turn import RequestStatus, Turn
from mutx.governance.types import Charge, Effect, Reading
from mutx.kit.clock import ManualClock
from mutx.kit.errors import DuplicateAction, HeadMoved, InputError, LedgerUnavailable, LimitMoved, RequestMoved
from mutx.storage.pg_ledger import PostgresLedger
from mutx.storage.pg_ledger_flusher import Lane
from tests.conformance.pg import connector, emptied, postgres_ledger
from tests.conformance.scribe import Scribe, charge

WS, S = "ws-1", "s-1"
BREAK = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
"""Every other connection to this database; other tests use the server as well."""


class Side(NamedTuple):
    """One process."""

    ledger: PostgresLedger
    scribe: Scribe


@pytest.fixture
async def url(ledger_database: str) -> str:
    return await emptied(ledger_database)


@asynccontextmanager
async def side(url: str, **more: Any) -> AsyncIterator[Side]:
    accumulator, clock = ContextAccumulator(), ManualClock()
    async with postgres_ledger(url, accumulator, clock, **more) as ledger:
        yield Side(ledger, Scribe(ledger, accumulator, clock))


@pytest.fixture
async def here(url: str) -> AsyncIterator[Side]:
    async with side(url) as found:
        yield found


@pytest.fixture
async def there(url: str) -> AsyncIterator[Side]:
    async with side(url) as found:
        yield found


@pytest.fixture
async def db(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_what_another_process_continued_is_loaded_again(here: Side, there: Side) -> None:
    first = await here.scribe.allow()
    second = await there.scribe.allow()
    with pytest.raises(HeadMoved):
        await here.scribe.allow()
    third = await here.scribe.allow()
    assert [turn.id for turn in await there.ledger.turns(WS, S)] == [first.id, second.id, third.id]
    assert await there.ledger.close_session(WS, S, 5.0)
    with pytest.raises(HeadMoved):
        await here.scribe.allow()
    assert (await here.ledger.load(WS, S)).closed_at == 5.0


async def test_an_action_is_where_any_process_left_it(here: Side, there: Side) -> None:
    turn, request = await here.scribe.wait()
    assert await here.ledger.action(WS, turn.action.id) is not None
    answered = replace(request, status=RequestStatus.APPROVED, revision=1)
    state = await there.scribe.state()
    await there.ledger.append(state, there.scribe.resolved(state, turn.action, there.scribe.decision(), (answered,)))
    known = await here.ledger.action(WS, turn.action.id)
    assert known is not None
    assert (known.effect, known.request) == (Effect.ALLOW, answered)
    assert await there.ledger.redeem(WS, turn.action.id, "permit", 7.0)
    assert not await here.ledger.redeem(WS, turn.action.id, "permit", 7.0)


async def test_a_limit_holds_over_processes_and_a_refusal_teaches_it(here: Side, there: Side) -> None:
    sides = (here, there)
    tries = [sides[n % 2].scribe.allow(f"s-{n}", charge(1, limit=5)) for n in range(12)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, LimitMoved) for result in results) == 7
    assert [one.ledger.counter(WS, charge().key) for one in sides] == [5, 5]


async def test_what_a_turn_read_and_did_not_charge_is_checked_too(here: Side, there: Side) -> None:
    """The minute before counts by its share: whoever does not know of it would let too much through."""
    await here.scribe.allow("s-1", charge(3, key="before"))
    assert there.ledger.counter(WS, "before") == 0
    state = await there.scribe.state("s-2")
    unaware = there.scribe.decided(state, there.scribe.action("s-2"), there.scribe.decision(Effect.ALLOW, charge(1)))
    unaware = replace(unaware, facts=replace(unaware.facts, readings=(Reading(charge().key, 0), Reading("before", 0))))
    with pytest.raises(LimitMoved):
        await there.ledger.append(state, unaware)
    assert there.ledger.counter(WS, "before") == 3
    assert there.ledger.counter(WS, charge().key) == 0


async def test_the_last_use_of_a_grant_is_spent_once(here: Side, there: Side) -> None:
    grant = here.scribe.grant(uses=1)
    await here.ledger.add_grant(grant)
    tries = [
        one.scribe.decide(one.scribe.action(name), one.scribe.decision(Effect.ALLOW, grant_id=grant.id))
        for one, name in ((here, "s-1"), (there, "s-2"))
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, LimitMoved) for result in results) == 1


async def test_of_two_votes_on_one_revision_one_counts(here: Side, there: Side) -> None:
    _, request = await here.scribe.wait()
    votes = [
        one.ledger.save_request(replace(request, revision=1, reason=name), ())
        for one, name in ((here, "a"), (there, "b"))
    ]
    results = await asyncio.gather(*votes, return_exceptions=True)
    assert sum(isinstance(result, RequestMoved) for result in results) == 1
    with pytest.raises(RequestMoved):
        await here.ledger.save_request(here.scribe.request(here.scribe.action(), revision=3), ())


async def test_one_action_in_two_sessions_of_two_processes_is_decided_once(here: Side, there: Side) -> None:
    for round_number in range(5):
        action = here.scribe.action("x")
        tries = [
            one.scribe.decide(replace(action, session_id=f"{name}-{round_number}"), one.scribe.decision())
            for one, name in ((here, "a"), (there, "b"))
        ]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(result, DuplicateAction) for result in results) == 1
        assert len((await here.ledger.sessions(WS))[0]) == round_number + 1


async def test_a_value_that_cannot_be_stored_fails_alone(here: Side) -> None:
    tries = [here.scribe.allow(name) for name in ("s-1", "s" * 300, "s-2", "s\x00", "s-3")]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(result, InputError) for result in results] == [False, True, False, True, False]
    assert (await here.ledger.sessions(WS))[1] == 3


async def test_a_broken_connection_is_replaced_unnoticed(here: Side, db: Any) -> None:
    await here.scribe.allow()
    await db.execute(BREAK)
    await here.scribe.allow()
    assert len(await here.ledger.turns(WS, S)) == 2


async def test_an_answer_that_got_lost_is_asked_for_again(here: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written, but the connection broke before the server could say so."""
    sent, losses = Lane.send, [True]

    async def lossy(lane: Lane, group: Any, again: bool) -> Any:
        answer = await sent(lane, group, again)
        if losses and losses.pop():
            raise asyncpg.ConnectionDoesNotExistError
        return answer

    monkeypatch.setattr(Lane, "send", lossy)
    turn = await here.scribe.allow(S, charge(1))
    assert [one.id for one in await here.ledger.turns(WS, S)] == [turn.id]
    await here.scribe.allow(S, charge(1))
    assert here.ledger.counter(WS, charge().key) == 2


async def test_collisions_and_bugs_answer_nobody_with_success(here: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, failures = Lane.send, [asyncpg.DeadlockDetectedError(), *[asyncpg.UniqueViolationError()] * 6, KeyError()]

    async def failing(lane: Lane, group: Any, again: bool) -> Any:
        if failures:
            raise failures.pop(0)
        return await sent(lane, group, again)

    monkeypatch.setattr(Lane, "send", failing)
    for _ in range(2):
        with pytest.raises(LedgerUnavailable):
            await here.scribe.allow()
    await here.scribe.allow()
    assert len(await here.ledger.turns(WS, S)) == 1


async def test_a_server_that_stays_away_refuses_until_it_is_back(url: str, db: Any) -> None:
    away: list[OSError] = []

    async def connect() -> Any:
        if away:
            raise away[0]
        return await connector(url)()

    accumulator, clock = ContextAccumulator(), ManualClock()
    ledger = PostgresLedger(connect, accumulator, clock, patience=0.5)
    await ledger.start()
    scribe = Scribe(ledger, accumulator, clock)
    await scribe.allow()
    away.append(ConnectionRefusedError())
    await db.execute(BREAK)
    with pytest.raises(LedgerUnavailable):
        await scribe.allow()
    with pytest.raises(LedgerUnavailable):
        await ledger.turns(WS, S)
    with pytest.raises(LedgerUnavailable):
        await ledger.redeem(WS, "a", "p", 1.0)
    away.clear()
    await scribe.allow()
    assert len(await ledger.turns(WS, S)) == 2
    ledger._flusher._max_waiting = 0
    with pytest.raises(LedgerUnavailable, match="too many"):
        await scribe.allow()
    await ledger.stop()
    with pytest.raises(LedgerUnavailable, match="being closed"):
        await scribe.allow("s-2")
    with pytest.raises(LedgerUnavailable, match="being closed"):
        await ledger.redeem(WS, "a", "p", 1.0)


async def test_a_bug_in_who_waits_keeps_nobody_else_waiting(here: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = here.ledger._actions.heard

    def stumbles(turn: Turn) -> None:
        if turn.session_id == "s-1":
            raise KeyError("bug")
        heard(turn)

    monkeypatch.setattr(here.ledger._actions, "heard", stumbles)
    others = ("s-2", "s-3", "s-4")
    await asyncio.wait_for(asyncio.gather(*(here.scribe.allow(name) for name in ("s-1", *others))), 60)
    assert [len(await here.ledger.turns(WS, name)) for name in ("s-1", *others)] == [1] * 4


async def test_an_event_that_becomes_visible_late_is_not_passed_over(here: Side, db: Any) -> None:
    late = db.transaction()
    await late.start()
    await db.execute("INSERT INTO outbox (topic, workspace_id, at, payload) VALUES ('audit.late', 'ws-1', 1, '{}')")
    turn = await here.scribe.allow()
    assert await here.ledger.events("log", 100) == []
    await late.commit()
    told = [entry.event for entry in await here.ledger.events("log", 100)]
    assert [event.topic for event in told] == ["audit.late", *(event.topic for event in turn.events)]


async def test_one_process_feeds_a_sink_until_it_ends(url: str, there: Side) -> None:
    async with side(url) as first:
        await first.scribe.allow()
        for _ in range(1500):  # an event is told once nothing older is under way anywhere on the server
            if told := await first.ledger.events("log", 100):
                break
            await asyncio.sleep(0.02)
        assert len(told) == 2
        assert await there.ledger.events("log", 100) == ()
        assert len(await there.ledger.events("mail", 100)) == 2
    for _ in range(500):  # the server lets go once it sees the connection end
        if taken_over := await there.ledger.events("log", 100):
            break
        await asyncio.sleep(0.01)
    assert len(taken_over) == 2


async def test_charges_of_one_key_count_together_under_the_lower_limit(here: Side) -> None:
    both = Charge("k", 2, 10, 0.0), Charge("k", 2, 3, 0.0)
    with pytest.raises(LimitMoved):
        await here.scribe.allow(S, *both)
