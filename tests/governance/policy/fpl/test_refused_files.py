"""Files that are refused, with line and column, and that no damage breaks the reader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutx.governance.policy.document import load
from mutx.governance.policy.packs import PACKS, pack
from mutx.governance.types import Effect
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.play import Play, fpl


def problems(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(PolicyInvalid) as caught:
        load(text, format="fpl", name="p")
    return [(one["line"], one["column"], one["message"]) for one in caught.value.details["problems"]]


REFUSED = [
    ('import "x"', 1, 1, "`import` is not supported: one file is one policy"),
    ("permit a\nruntime { mode = 'x'\n}\nruntim {", 2, 1, "`runtime` is not supported"),
    ("agent a {\n  selector s { source 'x' }\n}", 2, 3, "`selector` is not supported: nothing outside"),
    ("agent a {\n  credential stripe {\n scope x\n }\n}", 2, 3, "`credential` is not supported"),
    ("agent a {\n  alert { on = 'deny' }\n}", 2, 3, "`alert` is not supported: write `notify:`"),
    ("agent a {\n  manifest grant a to b\n}", 2, 3, "`manifest` is not supported"),
    ("permit a\n  host 'x'", 2, 3, "`host` is not supported on a rule"),
    ("permit a reeval: true", 1, 10, "`reeval` is not supported on a rule"),
    ("agent a {\n  rate_limts 'x': 3\n}", 2, 3, "a rule or a block is expected here, not `rate_limts`"),
    ("agent {", 1, 7, "the agent's id is expected"),
    ("agent a {\n permit x\n", 3, 1, "`}` is missing"),
    ("agent a permit x", 1, 9, "`{` is expected"),
    ("permit", 1, 7, "a tool or a glob over tools is expected here, not the end of the file"),
    ("# nothing", 1, 10, "the file has no agent block and no rule"),
    ("permit a when true when true", 1, 20, "one condition"),
    ("default deny\ndefault deny", 2, 9, "`default` is said twice"),
    ("default defer", 1, 9, "`deny` or `permit`"),
    ("rules {\n budget session { max 3 }\n}", 2, 2, "permit, deny, deny! or defer is expected"),
    ("phase a {\n budget x\n}", 2, 2, "a rule, `duration` or `next` is expected"),
    ("phase a {\n duration soon\n}", 2, 11, "a duration is written like"),
    ("budget monthly { max 3 }", 1, 8, "`session` or `daily`"),
    ("budget session { on_exceed deny }", 1, 8, "needs `max`, `daily` or `max_calls`"),
    ("budget session { max 3 on_exceed audit }", 1, 34, "`deny` or `defer`"),
    ("budget session { max 3 per week }", 1, 24, "`per` is not supported here"),
    ("budget session { max lots }", 1, 22, "a number is expected"),
    ("budget session { max_calls 1.5 }", 1, 28, "a whole number"),
    ("budget session {", 1, 17, "a property or `}` is expected"),
    ("rate_limit 'x': 3 per week", 1, 23, "a rate is per second, minute, hour, day"),
    ("rate_limit 'x': 3 every minute", 1, 19, "`per` is expected"),
    ("ambient { max_customers_per_day 3 }", 1, 11, "`max_customers_per_day` is not supported"),
    ("ambient { on_exceed deny }", 1, 27, "`ambient` needs `max_calls_per_day`"),
    ("ambient { max_calls_per_day 3 on_exceed defer }", 1, 41, "beyond an ambient limit calls are denied"),
    ("redact x args: []", 1, 18, "name at least one argument"),
    ("redact x args: [a]", 1, 17, "paths in quotes"),
    ("var 3x 4", 1, 5, "`3x` is no name"),
    ("var x yes", 1, 7, "a text in quotes, a number, true or false"),
    ("system { max_output_bytes 3 }", 1, 10, "`max_output_bytes` is not supported"),
    ("system { on_policy_load_failure permit }", 1, 33, "a policy that does not load denies"),
    ('system { version "2.0" }', 1, 18, "the language's version is 1.0"),
    ("permit a reason: 'x", 1, 18, "no closing quote"),
    ("delegate b { ttl 1h }", 1, 10, "a delegate needs a `scope`"),
    ("delegate b { scope 'a:amount<500' }", 1, 20, "a scope's bound is written like"),
    ("delegate b { scope a ceiling $500 }", 1, 30, "`inherited` or `approval`"),
    ("delegate b { scope a until 3 }", 1, 22, "`until` is not supported"),
    ("phase a { permit x next b }\npermit y", 1, 25, "`b` is no phase of this agent"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), REFUSED)
def test_what_is_not_supported_is_refused_with_its_place(text, line, column, message):
    found = problems(text)
    assert (line, column) in {one[:2] for one in found}
    assert any(message in one[2] for one in found)


def test_blocks_of_one_agent_do_not_contradict_one_another():
    assert problems("agent a {\n default deny\n}\nagent a {\n default permit\n}") == [
        (5, 10, "`default` is said twice for agent a, first on line 2")
    ]
    assert problems("default deny\nagent a {\n permit x\n}\ndefault permit") == [
        (5, 9, "`default` is said twice for agent *, first on line 1")
    ]
    play = Play(fpl("agent a {\n default permit\n}\nagent b {\n default deny\n}\nagent a {\n deny x\n}"), "a")
    assert (play.effect("x"), play.effect("y")) == (Effect.DENY, Effect.ALLOW)


def test_phases_lead_on_to_phases_of_the_agent():
    assert problems("agent a {\n phase p {\n  permit x\n  next q\n }\n}\nagent b {\n phase q {\n  permit x\n }\n}") == [
        (4, 8, "`q` is no phase of this agent")
    ]
    back = "agent a {\n phase p {\n  permit x\n }\n phase q {\n  permit x\n  next p\n }\n}"
    assert problems(back) == [(7, 8, "phase q leads back to itself; phases go one way")]
    loop = "agent a {\n phase p {\n  next q\n }\n phase q {\n  permit x\n  next r\n }\n phase r {\n  next q\n }\n}"
    assert [line for line, _, _ in problems(loop)] == [7, 10]
    load("agent a {\n phase p {\n  next q\n }\n}\nagent a {\n phase q {\n  permit x\n }\n}", format="fpl", name="p")


def test_all_that_is_wrong_in_a_file_is_found_together():
    text = """
agent a {
  credential stripe {
    scope "}" refund
  }
  permit x when amount / 2 > 3
  permit y
  deny z when purpose("p")
  egress { allow = ["x"] }
}
"""
    assert [one[:2] for one in problems(text)] == [(3, 3), (6, 24), (8, 15), (9, 3)]


def test_a_file_with_too_many_faults_is_given_up():
    assert len(problems("permit\n" * 30 + "egress\n" * 500)) == 100


def test_a_broken_block_with_a_text_that_never_ends_is_passed_over():
    assert next(line for line, *_ in problems('agent a {\n  egress {\n    allow = "x\n  }\n')) == 2


def test_a_block_with_too_many_faults_is_given_up():
    assert len(problems("agent a {\n" + "egress\n" * 500 + "}\n")) == 100


WORDS = st.sampled_from(
    "agent a { } rules permit deny! defer when if not and or in matches contains ( ) [ ] , . == != < > <= 3 $2.5 'x' \"y\" args.a "
    "amount budget session max daily max_calls on_exceed phase duration 5m next rate_limit : per minute redact args "
    "delegate scope ttl 1h ceiling default reason notify history_tool_count('a') purpose('p') nil true - + * / % ? ! \n # \\ "
    "system version var limit".split(" ")
)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=40), st.sampled_from([" ", "\n", ""]))
def test_no_heap_of_words_breaks_the_reader(words, between):
    _reads_or_refuses(between.join(words))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    _reads_or_refuses(text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PACKS), st.data())
def test_no_damage_to_a_file_breaks_the_reader(name, data):
    text = pack(name, fpl=True)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    _reads_or_refuses(text[:start] + data.draw(st.text("{}()'\"#\\ \n/*$=x3", max_size=6)) + text[end:])


def _reads_or_refuses(text: str) -> None:
    """A document, or problems that all lie within the text."""
    found = []
    try:
        load(text, format="fpl", name="p")
    except PolicyInvalid as error:
        found = error.details["problems"] or [{"line": 0, "column": 0}]
    lines = text.split("\n")
    for one in found:
        assert 1 <= one["line"] <= len(lines)
        assert 1 <= one["column"] <= len(lines[one["line"] - 1]) + 1
