"""History functions in PolicySets: what they answer, what they cost at most, and what is refused."""

import pytest

from mutx.governance.context.apply import MAX_DENIALS, MAX_TOOLS
from mutx.governance.policy.document import load
from mutx.governance.policy.lint import lint
from mutx.governance.types import Effect
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.play import Play, read
from tests.governance.policy.support import policy


def rules(*conditions: str) -> str:
    lines = (
        f"  - {{id: r{n}, match: {{tool: t{n}}}, when: '{one}', effect: allow}}" for n, one in enumerate(conditions)
    )
    rest = "  - {id: any, match: {tool: 'x*'}, effect: allow, priority: 900}"
    return policy("\n".join((*lines, rest)))


def play(*conditions: str) -> Play:
    return Play(read(rules(*conditions), "yaml", "main"))


def test_only_calls_that_were_allowed_happened():
    told = play('history_tool_count("no*") > 0 || history_contains_within("no*", 60)', "deny_count_within(60) >= 2")
    assert told.effect("no-such") is Effect.DENY
    assert told.effect("t0") is Effect.DENY
    assert told.effect("t1") is Effect.ALLOW
    assert told.effect("t1", wait=61) is Effect.DENY


def test_a_tool_follows_itself_only_when_it_ran_twice():
    told = play('history_sequence("x", "x")', 'history_sequence("x", "xa*")')
    told.effect("x")
    assert told.effect("t0") is Effect.DENY
    told.effect("xab")
    assert told.effect("t1") is Effect.ALLOW
    told.effect("x")
    assert told.effect("t0") is Effect.ALLOW


def test_what_a_bound_forgets_makes_the_condition_unknown_and_not_false():
    told = play(
        'history_contains_within("x0", 5)', 'history_contains_within("x0", 999999)', 'history_tool_count("x1") > 0',
        'history_sequence("x1", "x2")', 'history_sequence("x5", "x7") && history_contains_within("x7", 99999)',
    )  # fmt: skip
    for number in range(MAX_TOOLS + 3):
        told.effect(f"x{number}")
    assert len(told.context.runs) == MAX_TOOLS
    assert told.effect("t0") is Effect.DENY  # what was forgotten was longer ago
    assert [told.effect(f"t{n}") for n in (1, 2, 3)] == [Effect.DEFER] * 3
    assert told.effect("t4") is Effect.ALLOW  # what is known is enough


def test_denials_are_counted_to_a_bound():
    told = play(f"deny_count_within(1000000) == {MAX_DENIALS}")
    for _ in range(MAX_DENIALS + 20):
        told.effect("no-such")
    assert told.effect("t0") is Effect.ALLOW
    assert len(told.context.denied_at) == MAX_DENIALS


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("history_tool_count(args.x) > 1", "write history_tool_count("),
        ('history_tool_count("") > 1', "write history_tool_count("),
        ('history_contains_within("a", args.x)', "write history_contains_within("),
        ('history_contains_within("a")', "write history_contains_within("),
        ("deny_count_within(1", "write deny_count_within("),
        ('session.history_sequence("a", "b")', "write history_sequence("),
        ('args.to.all(x, history_tool_count("a") > 1)', "may not be asked in a condition with all"),
        (" && ".join(['history_tool_count("a") > 1'] * 9), "at most 8 times"),
        ('history_tool_count("a")', "a condition must be true or false"),
    ],
)
def test_a_call_of_another_form_is_refused(condition, message):
    with pytest.raises(PolicyInvalid, match=message.replace("(", r"\(")):
        load(rules(condition))


def test_they_are_known_functions_and_may_be_a_budgets_amount():
    text = policy(
        "  - {id: a, match: {tool: pay}, effect: allow, budget: {amount: 'history_tool_count(\"pay\") + 1', max: 4}}"
    )
    assert lint([load(text)]) == ()
    told = Play(read(text, "yaml", "main"))
    assert [told.effect("pay") for _ in range(3)] == [Effect.ALLOW, Effect.ALLOW, Effect.DENY]
