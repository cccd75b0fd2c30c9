"""Defaults of agents, limits, rewrites and phases in PolicySets."""

import pytest

from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import Effect, ReasonCode
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.play import Play


def engine(*documents: str) -> PolicyEngine:
    return PolicyEngine(compile_policies([load(text) for text in documents]))


def test_of_each_set_the_first_default_that_fits_counts_and_of_several_sets_the_strictest():
    one = "name: one\ndefault: allow\ndefaults: [{agent: 'clerk-*', effect: step_up}, {agent: '*-1', effect: deny}]"
    two = "name: two\ndefault: none\ndefaults: [{agent: clerk-2, effect: deny}]"
    made = engine(one, two)
    answers = {name: Play(made, name).say("x") for name in ("clerk-1", "clerk-2", "bot-1", "bot-2")}
    assert {name: one.effect for name, one in answers.items()} == {
        "clerk-1": Effect.STEP_UP, "clerk-2": Effect.DENY, "bot-1": Effect.DENY, "bot-2": Effect.ALLOW
    }  # fmt: skip
    assert "the default of policy two is deny" in answers["clerk-2"].reason


def test_a_limit_holds_whichever_rule_let_the_call_through_and_only_where_it_matches():
    made = engine(
        """
name: shop
default: allow
limits:
  - {id: all, match: {session: "s*"}, rate: {per_session: 3}}
  - {id: elsewhere, match: {session: other}, rate: {per_session: 0}}
  - {id: bots, match: {agent: bot}, rate: {per_minute: 1, on_exceed: step_up}}
rewrites:
  - {id: elsewhere, match: {session: other}, modify: [{set: x, value: 2}]}
""".replace("id: elsewhere, match: {session: other}, modify", "id: not-here, match: {session: other}, modify")
    )
    play = Play(made, "bot")
    assert play.effect("a", {"x": 1}) is Effect.ALLOW
    asked = play.say("b")
    assert (asked.effect, asked.reason_code, asked.asks) == (
        Effect.STEP_UP,
        ReasonCode.RATE_LIMITED,
        ("rate_limited:shop/bots",),
    )
    assert play.effect("b", approve=True) is Effect.ALLOW
    assert play.effect("b", approve=True) is Effect.ALLOW
    denied = play.say("b", approve=True)
    assert (denied.effect, denied.rule.id) == (Effect.DENY, "all")  # stricter than the question, whatever the order


def test_an_amount_that_is_no_number_makes_the_call_wait():
    play = Play(engine("name: a\ndefault: allow\nlimits: [{id: l, budget: {amount: amount, max: 5}}]"))
    assert play.effect("x", {"amount": 5}) is Effect.ALLOW
    assert play.say("x", {}).reason_code is ReasonCode.MISSING_CONTEXT
    assert play.effect("x", {"amount": -1}, approve=True) is Effect.ALLOW
    assert play.effect("x", {"amount": 1}) is Effect.DENY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limits: [{id: a}]", "a limit has a `rate` or a `budget`"),
        ("limits: [{id: a, rate: {per_week: 3}}]", "per_week"),
        ("rules: [{id: a, effect: allow}]\nlimits: [{id: a, rate: {per_day: 3}}]", "`a` is already taken"),
        ("rewrites: [{id: a}]", "modify"),
        ("phases: [{id: a}, {id: a}]", "phase `\\*/a` is already taken"),
        ("defaults: [{agent: x, effect: perhaps}]", "perhaps|must be"),
        ("phases: [{id: a}, {id: b, next: c}]", "line 2: policy p: phase a is followed by c, which is no phase"),
    ],
)
def test_what_is_no_limit_no_rewrite_and_no_phase_is_refused(text, message):
    with pytest.raises(PolicyInvalid, match=message):
        load(f"name: p\n{text}")


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (["phases: [{id: a, next: b}]"], "followed by b, which is no phase"),
        (["phases: [{id: a, next: b}, {id: b, next: a}]"], "leads back to itself"),
        (["phases: [{id: a, agent: 'x*'}, {id: a, agent: '*y'}]"], "an agent follows one plan"),
        (["phases: [{id: a}]", "phases: [{id: b, agent: z}]"], "an agent follows one plan"),
    ],
)
def test_phases_that_cannot_be_followed_are_refused(documents, message):
    with pytest.raises(PolicyInvalid, match=message):
        engine(*(f"name: p{number}\n{text}" for number, text in enumerate(documents)))


def test_the_phase_is_known_to_conditions_of_its_agents_only():
    text = """
name: flow
phases: [{id: one, agent: "a*", tools: [x], duration: 10s}, {id: two, agent: "a*", tools: ["*y"], duration: 10s}]
rules: [{id: r, when: 'session.phase == "two" || session.phase == ""', effect: allow}]
"""
    play = Play(engine(text), "a1")
    assert play.effect("free") is Effect.DENY
    assert play.effect("free", wait=10) is Effect.ALLOW
    assert play.say("x").reason_code is ReasonCode.OUT_OF_PHASE
    assert play.effect("free", wait=20) is Effect.ALLOW  # after the last
    assert play.say("y").reason_code is ReasonCode.OUT_OF_PHASE
    assert Play(engine(text), "b1").say("free").missing == ("session.phase",)


def test_a_phase_may_be_entered_again_and_starts_its_time_anew():
    text = "name: f\ndefault: allow\nphases: [{id: a, duration: 10s, tools: [x]}, {id: b, tools: [y]}]"
    play = Play(engine(text))
    assert play.effect("phase/a") is Effect.ALLOW
    assert play.effect("phase/a", wait=9) is Effect.ALLOW
    assert play.effect("x", wait=9) is Effect.ALLOW
    assert play.effect("phase/b") is Effect.ALLOW
    assert play.effect("y", wait=5000) is Effect.ALLOW
