"""Turns: in order, whole, found again, and never forked."""

import asyncio

import pytest
from msgspec.structs import replace

from mutx.governance.chain import genesis
from mutx.governance.context import ContextAccumulator
from mutx.governance.ports import SessionState
from mutx.governance.turn import Outcome, OutcomeStatus, TurnKind
from mutx.governance.types import ArgumentOrigin, Effect, Origin
from mutx.kit.clock import ManualClock
from mutx.kit.errors import DuplicateAction, HeadMoved
from mutx.storage.views import LedgerStore
from tests.conformance.scribe import Scribe

WS, S = "ws-1", "s-1"


async def test_an_unknown_session_is_new_and_empty(ledger: LedgerStore) -> None:
    assert ledger.cached(WS, S) is None
    state = await ledger.load(WS, S)
    assert (state.seq, state.head, state.closed_at) == (0, genesis(WS, S), None)
    assert ledger.cached(WS, S) is state
    assert await ledger.load(WS, S) is state
    assert await ledger.session(WS, S) is None
    assert await ledger.is_empty()


async def test_a_session_reads_back_as_it_was_written(ledger: LedgerStore, scribe: Scribe) -> None:
    critical = (ArgumentOrigin("to", "ann@example.com", Origin.UNTRUSTED, "read#1"),)
    decision = scribe.decision(Effect.MODIFY, modified_args={"to": "[redacted]"}, critical=critical)
    first = await scribe.decide(scribe.action(), decision)
    second = await scribe.conclude(first, result={"id": [1, None, "é"]})
    third = await scribe.allow(text="x" * 100_000)
    assert not await ledger.is_empty()
    written = [replace(turn, events=()) for turn in (first, second, third)]
    assert list(await ledger.turns(WS, S)) == written
    assert list(await ledger.turns(WS, S, after=1, limit=1)) == written[1:2]
    assert [turn async for turn in ledger.export(WS, S)] == written
    assert await ledger.turns("ws-2", S) == []


async def test_an_append_moves_the_state_before_it_is_on_disk(ledger: LedgerStore, scribe: Scribe) -> None:
    state = await scribe.state()
    turns, waits = [], []
    for _ in range(3):
        turns.append(scribe.decided(state, scribe.action(), scribe.decision()))
        waits.append(ledger.append(state, turns[-1]))
        assert (state.head, state.seq) == (turns[-1].receipt.hash, turns[-1].seq)
    await asyncio.gather(*waits)
    assert [turn.seq for turn in await ledger.turns(WS, S)] == [1, 2, 3]


async def test_of_two_turns_on_one_head_the_second_is_refused(
    ledger: LedgerStore, scribe: Scribe, accumulator: ContextAccumulator
) -> None:
    state = await scribe.state()
    twin = SessionState(accumulator.decode(accumulator.encode(state.context)), state.head, 0, state.last_at, None)
    first = scribe.decided(state, scribe.action(), scribe.decision())
    await ledger.append(state, first)
    second = scribe.decided(twin, scribe.action(), scribe.decision())
    with pytest.raises(HeadMoved):
        await ledger.append(twin, second)
    assert [turn.id for turn in await ledger.turns(WS, S)] == [first.id]


async def test_what_follows_a_refused_turn_is_refused_too_and_the_session_recovers(
    ledger: LedgerStore, scribe: Scribe
) -> None:
    kept = await scribe.allow()
    state = await scribe.state()
    refused = ledger.append(state, scribe.decided(state, kept.action, scribe.decision()))
    follower = scribe.decided(state, scribe.action(), scribe.decision())
    with pytest.raises(HeadMoved):
        await ledger.append(state, follower)
    with pytest.raises(DuplicateAction):
        await refused
    fresh = await scribe.state()
    assert fresh is not state
    assert (fresh.seq, fresh.head) == (1, kept.receipt.hash)
    await scribe.allow()
    assert [turn.seq for turn in await ledger.turns(WS, S)] == [1, 2]


async def test_an_action_is_decided_once_and_concluded_once(ledger: LedgerStore, scribe: Scribe) -> None:
    first = await scribe.allow()
    with pytest.raises(DuplicateAction):
        await scribe.decide(replace(first.action, session_id="s-2"), scribe.decision())
    assert await ledger.session(WS, "s-2") is None
    await scribe.conclude(first)
    with pytest.raises(DuplicateAction):
        await scribe.conclude(first, error="boom")
    assert [turn.kind for turn in await ledger.turns(WS, S)] == [TurnKind.DECISION, TurnKind.OUTCOME]


async def test_a_long_session_is_rebuilt_as_it_was(
    ledger: LedgerStore, scribe: Scribe, accumulator: ContextAccumulator, clock: ManualClock
) -> None:
    for number in range(130):  # past a stored snapshot
        clock.advance(1)
        turn = await scribe.allow(number=number)
        if number % 5 == 0:
            await scribe.conclude(turn, result=f"result {number}")
    before = await scribe.state()
    with pytest.raises(DuplicateAction):
        await scribe.decide(turn.action, scribe.decision())
    turns = await ledger.turns(WS, S, limit=1000)
    after = await scribe.state()
    assert after is not before
    assert (after.seq, after.head, after.last_at) == (turns[-1].seq, turns[-1].receipt.hash, turns[-1].at)
    context = accumulator.new(workspace_id=WS, session_id=S, agent_id="", user_id="", now=ManualClock().now())
    for turn in turns:
        assert turn.facts.context_hash == context.hash
        accumulator.apply(context, accumulator.decode_delta(turn.delta))
    assert accumulator.encode(after.context) == accumulator.encode(context)


async def test_an_action_answers_where_it_stands(ledger: LedgerStore, scribe: Scribe) -> None:
    assert await ledger.action(WS, "nobody") is None
    turn, request = await scribe.wait()
    waiting = await ledger.action(WS, turn.action.id)
    assert waiting is not None
    assert (waiting.effect, waiting.request, waiting.permit) == (Effect.STEP_UP, request, None)
    assert await ledger.action("ws-2", turn.action.id) is None
    outcome = Outcome(status=OutcomeStatus.EXECUTED, result="sent")
    allowed = await scribe.allow()
    concluded = await scribe.conclude(allowed)
    done = await ledger.action(WS, allowed.action.id)
    assert done is not None
    assert (done.outcome, done.outcome_receipt_id, done.receipt_id) == (outcome, concluded.id, allowed.id)
    assert done.action == allowed.action


async def test_a_closed_session_decides_nothing_but_its_closedness(ledger: LedgerStore, scribe: Scribe) -> None:
    assert not await ledger.close_session(WS, S, 1.0)
    first = await scribe.allow()
    stale = await scribe.state()
    assert await ledger.close_session(WS, S, 5.0)
    assert not await ledger.close_session(WS, S, 6.0)
    assert stale.closed_at == 5.0
    with pytest.raises(HeadMoved):
        await scribe.allow()
    state = await scribe.state()
    assert state.closed_at == 5.0
    await scribe.conclude(first)
    state = await scribe.state()
    denied = scribe.decided(state, scribe.action(), scribe.decision(Effect.DENY), closed=True)
    await ledger.append(state, denied)
    assert (await ledger.turns(WS, S))[-1].id == denied.id


def opened(accumulator: ContextAccumulator, request: str) -> SessionState:
    context = accumulator.new(
        workspace_id=WS, session_id=S, agent_id="agent-1", user_id="user-1", now=5.0, original_request=request
    )
    return SessionState(context, genesis(WS, S), 0, 5.0, None)


async def test_a_session_can_be_opened_before_its_first_turn(
    ledger: LedgerStore, scribe: Scribe, accumulator: ContextAccumulator
) -> None:
    unaware = await ledger.load(WS, S)
    assert await ledger.create_session(opened(accumulator, "write to Ann"))
    assert not await ledger.create_session(opened(accumulator, "write to Eve"))
    with pytest.raises(HeadMoved):
        await ledger.append(unaware, scribe.decided(unaware, scribe.action(), scribe.decision()))
    assert (await ledger.load(WS, S)).context.original_request == "write to Ann"
    entry = await ledger.session(WS, S)
    assert entry is not None
    assert (entry.seq, entry.head) == (0, genesis(WS, S))
    first = await scribe.allow()
    assert [turn.id for turn in await ledger.turns(WS, S)] == [first.id]


async def test_a_session_that_has_begun_is_not_opened_again(
    ledger: LedgerStore, scribe: Scribe, accumulator: ContextAccumulator
) -> None:
    state = await scribe.state()
    under_way = ledger.append(state, scribe.decided(state, scribe.action(), scribe.decision()))
    assert not await ledger.create_session(opened(accumulator, "write to Eve"))
    await under_way
    assert not await ledger.create_session(opened(accumulator, "write to Eve"))
    assert (await scribe.state()).context.original_request is None


async def test_many_sessions_at_once(ledger: LedgerStore, scribe: Scribe) -> None:
    async def live(session_id: str) -> None:
        for _ in range(5):
            await scribe.allow(session_id)

    await asyncio.gather(*(live(f"s-{n}") for n in range(20)))
    for n in range(20):
        turns = await ledger.turns(WS, f"s-{n}")
        assert [turn.prev for turn in turns[1:]] == [turn.receipt.hash for turn in turns[:-1]]
        assert len(turns) == 5


async def test_many_sessions_at_once_keep_what_is_right_and_refuse_the_rest(
    ledger: LedgerStore, scribe: Scribe
) -> None:
    """One group on disk: chains of several sessions, an action that is on record, and what follows it."""
    known = await scribe.allow("s-0")
    for n in range(1, 6):
        await scribe.allow(f"s-{n}")
    waits = []
    for n in range(1, 6):
        state = await scribe.state(f"s-{n}")
        actions = [scribe.action(f"s-{n}") for _ in range(3)]
        waits += [ledger.append(state, scribe.decided(state, action, scribe.decision())) for action in actions]
    state = await scribe.state("s-0")
    again = ledger.append(state, scribe.decided(state, known.action, scribe.decision()))
    after = ledger.append(state, scribe.decided(state, scribe.action("s-0"), scribe.decision()))
    results = await asyncio.gather(*waits, again, after, return_exceptions=True)

    assert results[:15] == [None] * 15
    assert [type(error) for error in results[15:]] == [DuplicateAction, HeadMoved]
    assert [len(await ledger.turns(WS, f"s-{n}")) for n in range(6)] == [1, 4, 4, 4, 4, 4]
    await scribe.allow("s-0")
    assert len(await ledger.turns(WS, "s-0")) == 2
