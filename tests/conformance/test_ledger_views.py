"""What operators ask: receipts, audit, sessions, counts, erasure, events."""

from msgspec.structs import replace

from mutx.governance.chain import ReceiptChain
from mutx.governance.receipts import open_receipt
from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.turn import RequestStatus, TurnKind
from mutx.governance.types import Effect, IntentSignal
from mutx.kit.canonical import sha256_hex
from mutx.kit.clock import ManualClock
from mutx.storage.views import LedgerStore, TurnFilter
from tests.conformance.scribe import Scribe

WS, S = "ws-1", "s-1"


async def test_a_receipt_leads_to_its_turn(ledger: LedgerStore, scribe: Scribe) -> None:
    turn = await scribe.allow()
    found = await ledger.receipt(WS, turn.receipt.id)
    assert found is not None
    assert found.receipt == turn.receipt
    assert await ledger.receipt("ws-2", turn.receipt.id) is None


async def test_audit_filters_across_sessions(ledger: LedgerStore, scribe: Scribe, clock: ManualClock) -> None:
    first = await scribe.allow("s-1")
    clock.advance(10)
    second = await scribe.allow("s-2", agent_id="agent-2")
    clock.advance(10)
    third = await scribe.conclude(first)

    async def ids(**which: object) -> list[str]:
        found, total = await ledger.audit(WS, TurnFilter(**which))  # type: ignore[arg-type]
        assert total == len(found)
        return [turn.id for turn in found]

    assert await ids() == [third.id, second.id, first.id]
    assert await ids(session_id="s-1") == [third.id, first.id]
    assert await ids(agent_id="agent-2") == [second.id]
    assert await ids(action_id=first.action.id) == [third.id, first.id]
    assert await ids(kind=TurnKind.OUTCOME) == [third.id]
    assert await ids(since=second.at) == [third.id, second.id]
    assert await ids(until=second.at) == [first.id]
    assert await ids(user_id="user-1") == [third.id, second.id, first.id]
    assert await ids(user_id="user-2") == []
    page, total = await ledger.audit(WS, TurnFilter(), skip=1, limit=1)
    assert ([turn.id for turn in page], total) == ([second.id], 3)
    assert (await ledger.audit("ws-2", TurnFilter()))[1] == 0


async def test_an_answer_is_also_the_turn_of_who_gave_it(ledger: LedgerStore, scribe: Scribe) -> None:
    turn, request = await scribe.wait()
    now = scribe.clock.now()
    answered = replace(request, revision=1, status=RequestStatus.APPROVED, decided_at=now, decided_by="user-2")
    state = await scribe.state()
    resolved = scribe.resolved(state, turn.action, scribe.decision(), (answered,))
    await ledger.append(state, resolved)
    found, total = await ledger.audit(WS, TurnFilter(user_id="user-2"))
    assert ([each.id for each in found], total) == ([resolved.id], 1)
    assert TurnFilter(user_id="user-2").matches(found[0])
    assert not TurnFilter(user_id="user-2").matches(turn)


async def test_sessions_and_counts(ledger: LedgerStore, scribe: Scribe, clock: ManualClock) -> None:
    await scribe.conclude(await scribe.allow("s-1"), error="boom")
    await scribe.decide(scribe.action("s-1"), scribe.decision(Effect.DENY, intent=IntentSignal.DRIFT_CONFIRMED))
    await scribe.wait("s-2")
    clock.advance(120)
    await scribe.decide(scribe.action("s-3", agent_id="agent-2"), scribe.decision(Effect.MODIFY, modified_args={}))
    await ledger.close_session(WS, "s-3", clock.now())
    entries, total = await ledger.sessions(WS)
    assert ([entry.session_id for entry in entries], total) == (["s-3", "s-2", "s-1"], 3)
    last = entries[-1]
    assert (last.permits, last.denials, last.defers, last.errors, last.drifts, last.seq) == (1, 1, 0, 1, 1, 3)
    assert [entry.session_id for entry in (await ledger.sessions(WS, active=True))[0]] == ["s-2", "s-1"]
    assert [entry.session_id for entry in (await ledger.sessions(WS, active=False))[0]] == ["s-3"]
    assert [entry.session_id for entry in (await ledger.sessions(WS, agent_id="agent-2"))[0]] == ["s-3"]
    assert await ledger.session(WS, "s-1") == last
    counts = await ledger.counts(WS, clock.now())
    assert (counts.evaluations, counts.permits, counts.denials, counts.defers) == (4, 2, 1, 1)
    assert (counts.pending_approvals, counts.active_sessions, counts.sessions, counts.drifts) == (1, 2, 3, 1)
    assert (counts.last_minute, counts.last_hour) == (1, 4)
    assert (await ledger.counts("ws-2", clock.now())).evaluations == 0


async def test_actions_that_nobody_concluded(ledger: LedgerStore, scribe: Scribe, clock: ManualClock) -> None:
    lost = await scribe.allow()
    await scribe.conclude(await scribe.allow())
    await scribe.decide(scribe.action(), scribe.decision(Effect.DENY))
    assert await ledger.unconcluded(WS, clock.now()) == []
    clock.advance(60)
    assert [state.action.id for state in await ledger.unconcluded(WS, clock.now())] == [lost.action.id]
    assert await ledger.unconcluded("ws-2", clock.now()) == []


async def test_erasing_takes_every_value_of_the_action_and_leaves_the_chain(
    ledger: LedgerStore, scribe: Scribe
) -> None:
    decided = await scribe.decide(scribe.action(), scribe.decision(Effect.MODIFY, modified_args={"to": "b@c.de"}))
    concluded = await scribe.conclude(decided, result="secret")
    other = await scribe.allow()
    assert await ledger.erase(WS, concluded.receipt.id)
    assert not await ledger.erase(WS, "nothing")
    assert not await ledger.erase("ws-2", concluded.receipt.id)
    turns = await ledger.turns(WS, S)
    for turn in turns[:2]:
        assert turn.sealed.args is None
        assert turn.sealed.args_salt is None
        assert turn.action.tool_args == {}
        assert turn.action.input_preview is None
    assert turns[0].decision.modified_args == {}
    assert turns[1].outcome is not None
    assert turns[1].outcome.result is None
    assert turns[2].action.tool_args == other.action.tool_args
    known = await ledger.action(WS, decided.action.id)
    assert known is not None
    assert known.action.tool_args == {}
    chain = ReceiptChain(WS, S)
    for turn in turns:
        body = open_receipt(turn.receipt.envelope)
        assert body["prev"] == chain.head
        assert sha256_hex(turn.receipt.envelope) == turn.receipt.hash
        chain.head = turn.receipt.hash


async def test_every_turn_tells_its_events_in_order(ledger: LedgerStore, scribe: Scribe) -> None:
    first = await scribe.allow()
    second, request = await scribe.wait()
    escalated = replace(request, revision=1, escalated_at=scribe.clock.now())
    news = TelemetryExporter().request_events(escalated)
    await ledger.save_request(escalated, news)
    queued = await ledger.events("log", 100)
    assert [entry.event for entry in queued] == [*first.events, *second.events, *news]
    told = ["aarm.action", "aarm.decision"]
    asked = ["aarm.approval", "aarm.approval", "audit.approval"]
    assert [entry.event.topic for entry in queued] == [*told, *told, *asked]


async def test_each_sink_reads_from_its_own_place(ledger: LedgerStore, scribe: Scribe) -> None:
    await scribe.allow()
    first, second = await ledger.events("a", 10)
    assert [entry.id for entry in await ledger.events("b", 1)] == [first.id]
    await ledger.acknowledge("a", first.id)
    await ledger.acknowledge("a", second.id)
    await ledger.acknowledge("a", first.id)
    assert await ledger.events("a", 10) == []
    assert await ledger.prune_events(["a", "b"]) == 0
    await ledger.acknowledge("b", first.id)
    assert await ledger.prune_events(["a", "b"]) == 1
    assert await ledger.prune_events([]) == 0
    assert [entry.id for entry in await ledger.events("b", 10)] == [second.id]
    await ledger.acknowledge("b", second.id)
    await ledger.prune_events(["a", "b"])
    await scribe.allow()
    assert [entry.id > second.id for entry in await ledger.events("a", 10)] == [True, True]
