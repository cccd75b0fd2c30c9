"""Events say what happened and hold no value of it."""

from typing import Any

from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator
from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.turn import RequestStatus, Verdict, Vote
from mutx.governance.types import Effect, IntentSignal, RuleRef
from mutx.kit.clock import ManualClock
from mutx.storage.memory import MemoryLedger
from tests.conformance.scribe import Scribe

SECRET = "4111-1111"


def scribe() -> Scribe:
    accumulator, clock = ContextAccumulator(), ManualClock()
    return Scribe(MemoryLedger(accumulator, clock), accumulator, clock)


async def test_a_turns_news_in_order_and_without_values() -> None:
    hand = scribe()
    rule = RuleRef("r", "cards", "p", Effect.MODIFY, 10)
    decision = hand.decision(
        Effect.MODIFY,
        modified_args={"card": SECRET},
        rule=rule,
        alerts=("p/w",),
        intent=IntentSignal.DRIFT_SUSPECTED,
        modifications=("redact card",),
    )
    decided = await hand.decide(hand.action(card=SECRET), decision)
    concluded = await hand.conclude(decided, result=SECRET, error=f"no {SECRET}")
    topics = [event.topic for event in (*decided.events, *concluded.events)]
    assert topics == ["aarm.action", "aarm.decision", "aarm.drift", "aarm.alert", "aarm.outcome"]
    assert SECRET not in str((decided.events, concluded.events))
    told: dict[str, Any] = decided.events[1].payload
    assert (told["rule_id"], told["policy"], told["effect"], told["receipt_id"]) == ("r", "p", "modify", decided.id)
    assert concluded.events[0].payload["failed"] is True


async def test_each_step_of_a_request_is_named() -> None:
    hand = scribe()
    turn, request = await hand.wait()
    now = hand.clock.now()
    vote = Vote(verdict=Verdict.APPROVE, by="user-2", at=now + 2)
    steps = [
        request,
        replace(request, revision=1, escalated_at=now + 1),
        replace(request, revision=2, escalated_at=now + 1, votes=(vote,)),
        replace(request, revision=3, status=RequestStatus.APPROVED, votes=(vote,), decided_at=now + 3),
    ]
    news = [event for step in steps for event in TelemetryExporter().request_events(step)]
    assert [event.payload["event"] for event in news] == ["requested", "escalated", "voted", "approved"]
    assert [event.at - now for event in news] == [0, 1, 2, 3]
    assert turn.events[-1] == news[0]
    resolved = hand.resolved(await hand.state(), turn.action, hand.decision(), (steps[3],))
    assert [event.topic for event in resolved.events] == ["aarm.decision", "aarm.approval"]
    assert resolved.events[0].payload["kind"] == "resolution"
    outcomeless = replace(resolved, kind=resolved.kind.OUTCOME)
    assert TelemetryExporter().events(outcomeless) == ()
