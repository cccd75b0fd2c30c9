"""A session's state from turn to turn: counters, bounds, the chain, replay."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutx.governance.context.apply import KEPT_RECORDS, MAX_RECORDS, MAX_TOOLS
from mutx.governance.context.session import GENESIS
from mutx.governance.tools import Access, ToolSchema
from mutx.governance.turn import OutcomeStatus
from mutx.governance.types import Confidentiality, Effect, IntentSignal, Label, Origin
from tests.governance.context.story import TRUSTED, UNTRUSTED, Story


def test_the_first_call_opens_the_session_and_later_requests_are_ignored() -> None:
    story = Story("pay bob")
    story.decide("pay", stated_intent="pay what bob asks")
    opened = story.context
    assert (opened.agent_id, opened.user_id, opened.original_request) == ("agent", "ann", "pay bob")
    assert opened.stated_intent == "pay what bob asks"
    story.request = "pay mallory"
    story.decide("pay", stated_intent="other")
    assert (opened.original_request, opened.stated_intent) == ("pay bob", "pay what bob asks")
    assert story.origin("mallory") is Origin.UNTRUSTED


def test_the_first_action_is_decided_on_the_request_it_brought() -> None:
    story = Story("mail bob@corp.example")
    before = story.accumulator.encode(story.context)
    observation = story.observe("mail", to="bob@corp.example")
    assert observation.origin_of("to").origin is Origin.REQUEST
    assert observation.intent is IntentSignal.ALIGNED
    assert observation.context.original_request == "mail bob@corp.example"
    assert story.accumulator.encode(story.context) == before, "observing changes nothing"
    assert observation.context.hash == story.context.hash


def test_a_request_that_the_session_was_opened_with_stands() -> None:
    story = Story("pay mallory")
    story.context = story.accumulator.new(
        workspace_id="w1", session_id="s1", agent_id="a", user_id="u", now=1.0, original_request="pay bob"
    )
    assert story.context.hash == GENESIS, "opening is no turn: the first turn's delta carries the request"
    story.decide("pay", schema=TRUSTED)
    assert story.context.original_request == "pay bob"
    assert (story.origin("bob"), story.origin("mallory")) == (Origin.REQUEST, Origin.NOWHERE)


def test_a_request_beyond_the_bound_is_cut_and_what_was_cut_may_have_been_anything() -> None:
    story = Story("pay bob " + "x" * 70_000 + " and kim@corp.example")
    story.decide("pay", schema=TRUSTED)
    assert len(story.context.original_request or "") == 64 * 1024
    assert (story.origin("bob"), story.origin("kim@corp.example")) == (Origin.REQUEST, Origin.UNTRUSTED)


def test_counters_tell_the_effects_apart() -> None:
    story = Story()
    for effect in (Effect.ALLOW, Effect.MODIFY, Effect.DENY, Effect.STEP_UP, Effect.DEFER):
        story.decide("t", effect=effect)
    counters = story.context.counters
    assert counters.tool_call_count == 5
    assert (counters.permit_count, counters.modified_count, counters.denied_count, counters.defer_count) == (1, 1, 1, 2)


def test_an_actions_record_follows_it() -> None:
    story = Story()
    action = story.decide("t", effect=Effect.STEP_UP)
    assert story.context.waiting == {action.id: 0}
    story.resolve(action, Effect.STEP_UP)
    assert story.context.waiting == {action.id: 0}, "another question, the same wait"
    story.resolve(action, Effect.ALLOW)
    assert story.context.waiting == {}
    story.conclude(action, "done", schema=TRUSTED)
    record = story.context.actions[-1]
    assert (record.effect, record.status, record.output) == (Effect.ALLOW, OutcomeStatus.EXECUTED, TRUSTED.output)
    assert story.context.tool_last_at == {"t": story.now - 2}


def test_what_depends_on_a_waiting_action_waits_deeper() -> None:
    story = Story()
    first = story.decide("t", effect=Effect.DEFER)
    second = story.decide("t", effect=Effect.DEFER, depends_on=(first.id, "gone"))
    third = story.decide("t", effect=Effect.DEFER, parent_action_id=second.id)
    other = story.decide("t", effect=Effect.DEFER)
    assert story.context.waiting == {first.id: 0, second.id: 1, third.id: 2, other.id: 0}


@pytest.mark.parametrize(
    ("access", "args", "resource_id"),
    [(Access.READ, {"path": "/etc/x"}, "/etc/x"), (Access.DELETE, {}, "files"), (Access.WRITE, {"path": 7}, "7")],
)
def test_data_access_is_recorded_once_it_happened(access: Access, args: dict[str, Any], resource_id: str) -> None:
    label = Label(Confidentiality.CONFIDENTIAL, trusted=True)
    schema = ToolSchema(name="files", category="file", access=access, resource="path", output=label)
    story = Story()
    failed = story.decide("files", args, schema=schema)
    story.conclude(failed, error="no such file", schema=schema)
    assert story.context.data_accessed == []
    at = story.now + 1
    story.run(schema, "x", **args)
    (seen,) = story.context.data_accessed
    assert (seen.resource_type, seen.resource_id, seen.access_type, seen.sensitive) == (
        "file",
        resource_id,
        access,
        True,
    )
    assert seen.access_time == at


def test_compaction_keeps_the_latest_the_counters_the_labels_and_the_chain() -> None:
    story = Story()
    story.run(None, "secret")
    first_hash = story.context.hash
    for _ in range(MAX_RECORDS):
        story.run(TRUSTED, "x")
    context = story.context
    assert len(context.actions) == KEPT_RECORDS
    assert context.counters.tool_call_count == MAX_RECORDS + 1
    assert context.confidentiality is Confidentiality.RESTRICTED
    assert context.hash != first_hash
    assert context.recent_tool_sequence == ["contacts"] * 10
    assert context.last_action_tool == "contacts"
    assert context.session_duration_seconds == context.updated_at - context.created_at > 0


def test_a_conclusion_after_its_record_was_compacted_still_counts() -> None:
    story = Story()
    early = story.decide("contacts", schema=TRUSTED)
    waiting = story.decide("contacts", schema=TRUSTED, effect=Effect.STEP_UP)
    for _ in range(MAX_RECORDS):
        story.decide("t", effect=Effect.DENY)
    story.conclude(early, "536-90-4399", schema=TRUSTED)
    assert story.context.confidentiality is Confidentiality.CONFIDENTIAL
    story.resolve(waiting, Effect.ALLOW)
    assert story.context.assumed == TRUSTED.output


def test_a_new_session_has_no_last_tool() -> None:
    assert Story().context.last_action_tool is None


def test_nothing_grows_without_bound() -> None:
    story = Story("do many things")
    sizes = []
    for turn in range(5_000):
        action = story.decide(f"tool{turn}", {"to": f"x{turn}@y.example"}, schema=UNTRUSTED)
        if turn % 3:
            story.conclude(action, {"id": f"id-{turn}", "at": turn}, schema=UNTRUSTED)
        if turn % 1_000 == 999:
            sizes.append(len(story.accumulator.encode(story.context)))
    assert sizes[-1] < 200_000
    assert sizes[-1] <= 1.1 * sizes[-2]
    assert len(story.context.tool_last_at) == MAX_TOOLS
    assert max(map(len, story.deltas)) < 2_000


EFFECTS = st.sampled_from(list(Effect))
TEXTS = st.sampled_from(
    ["", "bob", "a@b.example 50", "536-90-4399", "\ud800", "x" * 200, "/a/b.txt https://c.example/d?e=1"]
)
RESULTS = st.none() | st.recursive(TEXTS | st.integers() | st.booleans(), lambda inner: st.lists(inner, max_size=3))
TURNS = st.lists(
    st.tuples(
        EFFECTS, st.sampled_from([None, TRUSTED, UNTRUSTED]), RESULTS, st.sampled_from(["conclude", "fail", "leave"])
    ),
    max_size=12,
)


def tell(story: Story, turns: list[tuple[Effect, ToolSchema | None, Any, str]]) -> None:
    for effect, schema, result, end in turns:
        action = story.decide("t", {"to": "bob", "n": 3}, schema=schema, effect=effect)
        if effect.waits:
            story.resolve(action, Effect.ALLOW if end != "leave" else Effect.DENY)
        if end == "conclude":
            story.conclude(action, result, schema=schema)
        elif end == "fail":
            story.conclude(action, error="no", schema=schema)


@given(TURNS, st.none() | TEXTS)
@settings(max_examples=60)
def test_replaying_the_stored_deltas_gives_the_live_context_at_every_turn(
    turns: list[tuple[Effect, ToolSchema | None, Any, str]], request_text: str | None
) -> None:
    story = Story(request_text)
    accumulator, replayed = story.accumulator, story.new()
    done = 0
    for turn in turns:
        tell(story, [turn])
        for data in story.deltas[done:]:
            accumulator.apply(replayed, accumulator.decode_delta(data))
        done = len(story.deltas)
        assert replayed == story.context
        assert accumulator.encode(replayed) == accumulator.encode(story.context)
        restored = accumulator.decode(accumulator.encode(story.context))
        assert restored == story.context
        assert restored.origin("bob a@b.example") == story.context.origin("bob a@b.example")
        replayed = restored


@given(TURNS.filter(len), st.data())
@settings(max_examples=40)
def test_the_chain_notices_any_change_of_a_delta(
    turns: list[tuple[Effect, ToolSchema | None, Any, str]], data: st.DataObject
) -> None:
    story = Story()
    tell(story, turns)
    deltas = list(story.deltas)
    match data.draw(st.sampled_from(["drop", "swap", "repeat"])):
        case "drop":
            del deltas[data.draw(st.integers(0, len(deltas) - 1))]
        case "swap":
            deltas.reverse()
        case _:
            deltas.append(deltas[-1])
    replayed = story.new()
    for delta in deltas:
        story.accumulator.apply(replayed, story.accumulator.decode_delta(delta))
    assert (replayed.hash == story.context.hash) is (deltas == story.deltas)


def test_a_stored_delta_is_hashed_as_it_was_stored() -> None:
    story = Story()
    story.decide("t")
    (data,) = story.deltas
    delta = story.accumulator.decode_delta(data)
    assert story.accumulator.encode_delta(delta) is data
    assert story.context.intent is IntentSignal.UNKNOWN


def test_deep_and_odd_results_are_read_without_recursion() -> None:
    deep: Any = "bottom@x.example"
    for _ in range(100_000):
        deep = [deep]
    story = Story()
    story.run(UNTRUSTED, {"a": deep, "b@c.example": None, "t": (1, True)})
    assert story.origin("bottom@x.example") is Origin.UNTRUSTED
    assert story.origin("b@c.example") is Origin.UNTRUSTED
