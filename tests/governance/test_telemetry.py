"""Events say what happened and hold no value of it."""

from typing import Any

from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator
from mutx.governance.telemetry import TelemetryExporter, turn_payload, wanted
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
    assert {event.payload["user_id"] for event in (*decided.events, *concluded.events)} == {"user-1"}
    in_full = [turn_payload(turn) for turn in (decided, concluded)]
    assert SECRET not in str(in_full)
    assert (in_full[0]["effect"], in_full[0]["alerts"], in_full[1]["failed"]) == ("modify", ["p/w"], True)


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
    exporter = TelemetryExporter()
    news = [event for step in steps for event in exporter.request_events(step)]
    told, entries = news[::2], news[1::2]
    assert {event.topic for event in told} == {"aarm.approval"}
    assert [event.payload["event"] for event in told] == ["requested", "escalated", "voted", "approved"]
    assert [event.at - now for event in told] == [0, 1, 2, 3]
    assert {event.topic for event in entries} == {"audit.approval"}
    assert [entries[place].payload["actor_id"] for place in (1, 2)] == ["system", "user-2"]
    assert [entries[place].payload["actor_type"] for place in (1, 2)] == ["system", "person"]
    assert turn.events[-1] == told[0]
    resolved = hand.resolved(await hand.state(), turn.action, hand.decision(), (steps[3],))
    assert [event.topic for event in resolved.events] == ["aarm.decision", "aarm.approval"]
    assert resolved.events[0].payload["kind"] == "resolution"
    assert turn_payload(resolved)["approvals"][0]["decided_by"] == steps[3].decided_by
    outcomeless = replace(resolved, kind=resolved.kind.OUTCOME)
    assert exporter.events(outcomeless) == ()


async def test_only_what_somebody_wants_is_made() -> None:
    hand = scribe()
    turn, request = await hand.wait()
    moved = replace(request, revision=1, escalated_at=hand.clock.now())

    def told(*topics: str) -> list[str]:
        exporter = TelemetryExporter(frozenset(topics))
        return [event.topic for event in (*exporter.events(turn), *exporter.request_events(moved))]

    assert told() == []
    assert told("audit.") == ["audit.approval"]
    assert told("aarm.approval") == ["aarm.approval", "aarm.approval"]
    assert told("aarm.") == ["aarm.action", "aarm.decision", "aarm.approval", "aarm.approval"]


def test_topics_are_named_whole_or_by_family() -> None:
    assert wanted(None, "aarm.action")
    assert wanted(frozenset({"audit."}), "audit.agent")
    assert wanted(frozenset({"aarm.approval"}), "aarm.approval")
    assert not wanted(frozenset({"aarm.approval", "audit."}), "aarm.action")
    assert not wanted(frozenset(), "audit.agent")


async def test_whom_a_rule_wants_told_is_news_of_its_own() -> None:
    hand = scribe()
    decided = await hand.decide(hand.action(card=SECRET), hand.decision(Effect.ALLOW, notify=("finance",)))
    assert [event.topic for event in decided.events] == ["aarm.action", "aarm.decision", "aarm.notify"]
    assert (decided.events[2].payload["notify"], decided.events[2].payload["effect"]) == (["finance"], "allow")
