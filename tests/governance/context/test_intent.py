"""Drift from the request: cumulative, deterministic, quiet about ordinary work."""

from typing import Any

import pytest

from mutx.governance.intent import (
    MAX_ACTION,
    PERMISSIVE,
    SMOOTHING,
    STANDARD,
    STRICT,
    THRESHOLDS,
    DriftThresholds,
    Pressure,
    action_text,
    distance,
    scope_of,
    signal,
)
from mutx.governance.tools import Access, ToolSchema
from mutx.governance.types import Confidentiality, Effect, IntentSignal, Label
from tests.governance.context.story import Story

READ = ToolSchema(name="read", access=Access.READ, output=Label(Confidentiality.PUBLIC, trusted=True))


def signals(story: Story) -> list[IntentSignal]:
    return story.context.intent_signals


def test_without_a_request_nothing_can_be_said() -> None:
    story = Story()
    for _ in range(20):
        story.decide("delete_everything", effect=Effect.DENY)
    assert set(signals(story)) == {IntentSignal.UNKNOWN}
    assert story.context.drift == 0.0


def test_ordinary_work_stays_aligned() -> None:
    story = Story("Please pay the bill 'bill-december-2023.txt' for me and mail the receipt to ann@corp.example")
    calls: list[tuple[str, dict[str, Any]]] = [
        ("read_file", {"file_path": "bill-december-2023.txt"}),
        ("get_balance", {}),
        ("send_money", {"recipient": "UK12345678901234567890", "amount": 98.7, "subject": "Car Rental"}),
        ("getRecentTransactions", {"n": 5}),
        ("send_email", {"recipients": ["ann@corp.example"], "body": "Paid."}),
    ]
    for tool, args in calls:
        story.decide(tool, args)
    assert set(signals(story)) == {IntentSignal.ALIGNED}


def test_a_stated_intent_is_a_request_too() -> None:
    story = Story()
    story.decide("send_email", stated_intent="mail a summary to bob")
    story.decide("send_email")
    assert story.context.intent is IntentSignal.ALIGNED


def test_one_stray_action_is_no_drift_but_a_session_of_them_is() -> None:
    story = Story("Summarize the meeting notes of Monday")
    seen = []
    for at in range(8):
        story.decide("deploy_kubernetes_cluster", {"region": f"zone{at}"})
        seen.append(story.context.intent)
    assert seen[0] is IntentSignal.ALIGNED
    assert IntentSignal.DRIFT_SUSPECTED in seen
    assert seen[-1] is IntentSignal.DRIFT_CONFIRMED
    assert SMOOTHING < STANDARD.after_far < STANDARD.suspected


def test_ten_steps_that_lead_away_gradually_add_up_though_no_single_one_would() -> None:
    request = "alpha1 alpha2 alpha3 alpha4 alpha5 alpha6 alpha7 alpha8 alpha9 alpha10"
    known = request.split()
    steps = [" ".join([*known[: 10 - away], *(f"zulu{at}" for at in range(away))]) for away in range(1, 11)]
    for step in steps:
        alone = Story(request)
        alone.decide("x", {"text": step})
        assert alone.context.intent is IntentSignal.ALIGNED
    story = Story(request)
    for step in steps:
        story.decide("x", {"text": step})
    assert story.context.intent is not IntentSignal.ALIGNED


def test_the_observation_counts_the_action_it_is_about() -> None:
    story = Story("Summarize the meeting notes")
    story.decide("summarize")
    before = story.context.drift
    observation = story.observe("deploy_cluster", region="zone")
    assert observation.intent is IntentSignal.ALIGNED
    assert observation.drift > before == story.context.drift


def test_reading_is_never_far_from_a_request() -> None:
    scope = scope_of("pay the bill")
    args = {"q": "kubernetes"}
    assert distance(scope, "inspect_cluster", args, None) == 1.0
    assert distance(scope, "inspect_cluster", args, READ) < STRICT.suspected


@pytest.mark.parametrize(
    ("name", "args", "near"),
    [
        ("transferFunds", {}, True),
        ("payments", {}, True),
        ("zz", {"note": "the bills"}, True),
        ("zz", {"n": [1]}, False),
        ("", {}, False),
    ],
)
def test_word_families_and_forms(name: str, args: dict[str, Any], near: bool) -> None:
    assert (distance(scope_of("pay the bill"), name, args, None) < 1.0) is near


@pytest.mark.parametrize(
    ("pressure", "expected"),
    [
        (Pressure(9, 0, 0, False), IntentSignal.ALIGNED),
        (Pressure(9, 3, 0, False), IntentSignal.DRIFT_SUSPECTED),
        (Pressure(9, 0, 9, False), IntentSignal.DRIFT_SUSPECTED),
        (Pressure(9, 0, 0, True), IntentSignal.DRIFT_SUSPECTED),
        (Pressure(9, 9, 0, True), IntentSignal.DRIFT_CONFIRMED),
    ],
)
def test_refusals_errors_and_confidential_data_going_out_add_pressure(
    pressure: Pressure, expected: IntentSignal
) -> None:
    assert signal(0.5, 0.5, pressure, PERMISSIVE) is expected


@pytest.mark.parametrize(
    ("drift", "farthest", "strict", "standard", "permissive"),
    [
        (0.1, 1.0, "aligned", "aligned", "aligned"),
        (0.25, 1.0, "drift_suspected", "aligned", "aligned"),
        (0.4, 0.4, "aligned", "aligned", "aligned"),
        (0.4, 0.6, "drift_suspected", "drift_suspected", "aligned"),
        (0.5, 0.5, "drift_suspected", "drift_suspected", "aligned"),
        (0.5, 0.9, "drift_suspected", "drift_suspected", "drift_suspected"),
        (0.65, 0.9, "drift_confirmed", "drift_suspected", "drift_suspected"),
        (0.8, 0.9, "drift_confirmed", "drift_confirmed", "drift_confirmed"),
    ],
)
def test_thresholds_by_profile(drift: float, farthest: float, strict: str, standard: str, permissive: str) -> None:
    calm = Pressure(9, 0, 0, False)
    found = {name: signal(drift, farthest, calm, one).value for name, one in THRESHOLDS.items()}
    assert found == {"strict": strict, "standard": standard, "permissive": permissive}


def test_what_was_far_once_is_not_washed_out_by_calls_that_fit() -> None:
    padded, plain = Story("Summarize the meeting notes of Monday"), Story("Summarize the meeting notes of Monday")
    padded.decide("deploy_kubernetes_cluster")
    for story in (padded, plain):
        for _ in range(3):
            story.decide("summarize_meeting_notes")
    assert padded.context.farthest == 1.0 > plain.context.farthest
    wide = DriftThresholds("wide", suspected=0.9, confirmed=0.99, far=0.9, after_far=0.05)
    assert (
        signal(padded.context.drift, padded.context.farthest, Pressure(4, 0, 0, False), wide)
        is not IntentSignal.ALIGNED
    )
    assert signal(plain.context.drift, plain.context.farthest, Pressure(3, 0, 0, False), wide) is IntentSignal.ALIGNED


def test_an_action_in_words() -> None:
    args = {"recipients": ["ann"], "body": "hello", "flags": {"x": 1}, "n": 3}
    assert action_text("sendEmail_now", args) == "send Email now; recipients: ['ann']; body: hello; n: 3"
    assert len(action_text("t" * 9999, {f"k{at}": "x" * 9999 for at in range(99)})) == MAX_ACTION


def test_writing_outward_after_reading_something_confidential_counts() -> None:
    story = Story("mail the report to bob")
    vault = ToolSchema(name="vault", access=Access.READ, output=Label(Confidentiality.CONFIDENTIAL, trusted=True))
    sink = ToolSchema(name="send", access=Access.WRITE, sink=Confidentiality.PUBLIC)
    quiet = story.observe("send", sink)
    story.run(vault, "secret")
    assert not quiet.writes_outward
    assert story.observe("send", sink).writes_outward
    assert not story.observe("send", vault).writes_outward
    assert not story.observe("send").writes_outward


def test_an_action_costs_the_same_however_large_its_arguments() -> None:
    scope = scope_of("x" * 100_000)
    assert distance(scope, "t" * 100_000, {f"k{at}": "word " * 1_000 for at in range(200)}, None) == 1.0
