"""What guardrails found, and pauses, in the session's own record."""

from typing import Any

import pytest

from mutx.governance.contention import AT_ONCE
from mutx.governance.context import ContextAccumulator
from mutx.governance.context.apply import MAX_SIGNALS, OTHER_SIGNALS
from mutx.governance.gather import Gatherer
from mutx.governance.mining import Miner
from mutx.governance.noting import Noted
from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import Confidentiality, Effect, Label, ReasonCode, SessionNote
from mutx.kit.errors import Conflict, HeadMoved, LedgerUnavailable, PermissionDenied, PermitRefused
from tests.governance.pipeline.world import ANA, BOT, WORKSPACE, World, call

POLICY = """
name: desk
default: deny
rules:
  - {id: careful, priority: 10, match: {tool: pay}, when: '"prompt_injection" in session.signals', effect: step_up}
  - {id: never, priority: 10, match: {tool: mail}, when: 'session.signals.exists(s, s.startsWith("pii_detection"))', effect: deny}
  - {id: rest, match: {tool: "*"}, effect: allow}
"""
ABOUT = Noted("s", "bot", "input", "standard")
ATTACK = SessionNote(
    signals=("prompt_injection",), holds=Label(Confidentiality.PUBLIC, trusted=False), refused=True, reason="an attack"
)
PERSONAL = SessionNote(
    signals=("pii_detection", "pii_detection:card"),
    holds=Label(Confidentiality.CONFIDENTIAL, trusted=True),
    reason="pii",
)


@pytest.fixture
def world() -> World:
    return World(POLICY)


async def test_what_was_found_changes_what_is_decided_and_can_be_computed_again(world: World) -> None:
    receipt = await world.pipeline.notes.add(ABOUT, ATTACK, BOT)
    paid = await world.decide("pay", _original_request="Pay the bill")
    assert (paid.effect, paid.decision.rule and paid.decision.rule.id) == (Effect.STEP_UP, "careful")
    assert (await world.decide("mail")).effect is Effect.ALLOW
    await world.pipeline.notes.add(ABOUT, PERSONAL, BOT)
    assert (await world.decide("mail")).effect is Effect.DENY
    state = await world.ledger.load(WORKSPACE, "s")
    assert state.context.signals == {"prompt_injection": 1, "pii_detection": 1, "pii_detection:card": 1}
    assert state.context.untrusted_seen
    assert state.context.confidentiality is Confidentiality.CONFIDENTIAL
    assert state.context.original_request == "Pay the bill"
    assert state.context.counters.tool_call_count == 3
    first = (await world.turns())[0]
    assert first.receipt.id == receipt
    assert first.action.tool_name == "guardrail/input"
    assert (first.decision.effect, first.decision.reason_code) == (Effect.DENY, ReasonCode.GUARDRAIL)
    assert world.accumulator.decode(world.accumulator.encode(state.context)).signals == state.context.signals
    await world.recomputed()


async def test_a_note_permits_nothing_and_counts_as_no_call(world: World) -> None:
    await world.pipeline.notes.add(Noted("s", None, "output", "strict"), PERSONAL, ANA)
    (turn,) = await world.turns()
    assert turn.permit is None
    assert turn.action.agent_id == "ana"
    (news,) = TelemetryExporter().events(turn)
    assert (news.topic, news.payload["signals"]) == ("aarm.alert", ["pii_detection", "pii_detection:card"])
    counts = await world.ledger.counts(WORKSPACE, world.clock.now())
    assert (counts.permits, counts.denials) == (0, 0)
    miner = Miner()
    miner.session([turn])
    assert miner.calls == 0


async def test_notes_of_others_and_of_closed_sessions_are_refused(world: World) -> None:
    with pytest.raises(PermissionDenied):
        await world.pipeline.notes.add(Noted("s", "other", "input", "strict"), ATTACK, BOT)
    await world.decide("look")
    await world.ledger.close_session(WORKSPACE, "s", world.clock.now())
    with pytest.raises(Conflict, match="closed"):
        await world.pipeline.notes.add(ABOUT, ATTACK, BOT)


async def test_a_note_waits_its_turn_in_a_contended_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, moved = world.pipeline.notes, [0]
    record = notes._recorder.record

    async def contended(*given: Any) -> Any:
        moved[0] += 1
        if moved[0] <= AT_ONCE + 1:
            raise HeadMoved("somebody was quicker")
        return await record(*given)

    async def at_once(_: int) -> None:
        return

    monkeypatch.setattr("mutx.governance.noting.pause", at_once)
    monkeypatch.setattr(notes._recorder, "record", contended)
    assert await notes.add(ABOUT, ATTACK, BOT) == (await world.turns())[0].receipt.id
    moved[0] = -10_000
    monkeypatch.setattr("mutx.governance.noting.ATTEMPTS", 0)
    with pytest.raises(LedgerUnavailable):
        await notes.add(ABOUT, ATTACK, BOT)


async def test_names_beyond_the_bound_count_as_one(world: World) -> None:
    note = SessionNote(signals=tuple(f"rule:{number}" for number in range(MAX_SIGNALS + 2)), reason="many")
    await world.pipeline.notes.add(ABOUT, note, BOT)
    signals = (await world.ledger.load(WORKSPACE, "s")).context.signals
    assert (len(signals), signals[OTHER_SIGNALS]) == (MAX_SIGNALS + 1, 2)


@pytest.mark.parametrize(("search_all", "found"), [(False, {}), (True, {"prompt_injection": 1})])
async def test_an_attack_in_an_untrusted_result_is_a_signal_where_all_are_searched(
    search_all: bool, found: dict[str, int]
) -> None:
    world = World(POLICY)
    world.accumulator = ContextAccumulator(suspects=(lambda texts: "attack" in texts,), search_all=search_all)
    world.restart()
    await world.run("read", "attack")
    assert (await world.ledger.load(WORKSPACE, "s")).context.signals == found


async def test_an_attack_in_a_trusted_result_is_a_signal() -> None:
    world = World("name: t\ntools: [{name: read, output: {confidentiality: public, trusted: true}}]\ndefault: allow\n")
    world.accumulator = ContextAccumulator(suspects=(lambda texts: "attack" in texts,))
    world.restart()
    await world.run("read", "attack")
    context = (await world.ledger.load(WORKSPACE, "s")).context
    assert (context.signals, context.untrusted_seen) == ({"prompt_injection": 1}, True)


class TestPauses:
    @pytest.fixture
    def paused(self) -> set[tuple[str, str]]:
        return set()

    @pytest.fixture
    def world(self, paused: set[tuple[str, str]]) -> World:
        world = World("name: a\nrules: [{id: ask, match: {tool: pay}, effect: step_up}]\ndefault: allow\n")
        gather: Gatherer = world.pipeline._gather
        gather.paused = lambda workspace, agent: (workspace, agent) in paused
        return world

    async def test_a_paused_agent_is_denied_until_it_is_resumed(
        self, world: World, paused: set[tuple[str, str]]
    ) -> None:
        waiting = await world.decide("pay")
        allowed = await world.decide("read")
        paused.add((WORKSPACE, "bot"))
        denied = await world.decide("read")
        assert (denied.effect, denied.decision.reason_code) == (Effect.DENY, ReasonCode.AGENT_PAUSED)
        assert (await world.pipeline.dry_run(call("read"), BOT)).reason_code is ReasonCode.AGENT_PAUSED
        assert allowed.permit is not None
        with pytest.raises(PermitRefused, match="paused"):
            await world.pipeline.redeem(allowed.permit, {}, BOT)
        released = await world.approve(waiting)
        assert (released.effect, released.decision.reason_code) == (Effect.DENY, ReasonCode.AGENT_PAUSED)
        paused.clear()
        assert (await world.decide("read")).effect is Effect.ALLOW
        await world.recomputed()

    async def test_what_it_did_before_can_still_be_concluded(self, world: World, paused: set[tuple[str, str]]) -> None:
        allowed = await world.decide("read")
        paused.add((WORKSPACE, "bot"))
        done = await world.pipeline.conclude(allowed.action_id, Outcome(status=OutcomeStatus.EXECUTED, result=1), BOT)
        assert done.status is OutcomeStatus.EXECUTED
