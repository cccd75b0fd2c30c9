"""Whole files: what they decide, in which order, and what is refused, with line and column."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutx.governance.hops import DelegationGrant, DelegationHop
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.fpl import looks_like_fpl, read_fpl
from mutx.governance.policy.packs import PACKS, pack
from mutx.governance.types import Effect, ReasonCode
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.play import Play, fpl


def problems(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(PolicyInvalid) as caught:
        load(text, format="fpl", name="p")
    return [(one["line"], one["column"], one["message"]) for one in caught.value.details["problems"]]


def test_the_first_rule_in_the_file_that_matches_decides():
    play = Play(fpl("agent payment-bot {\n permit http/get\n deny http/*\n defer write_* reason 'ask'\n permit *\n}"))
    assert play.effect("http/get") is Effect.ALLOW
    assert play.effect("http/post") is Effect.DENY
    asked = play.say("write_file")
    assert (asked.effect, asked.reason, asked.rule.id) == (Effect.STEP_UP, "ask", "payment-bot.line-4")
    assert play.effect("anything") is Effect.ALLOW


def test_a_strict_deny_stands_wherever_it_is_written():
    play = Play(fpl("permit shell/*\ndeny! shell/* when args.cmd matches 'rm -rf'"))
    assert play.effect("shell/run", {"cmd": "ls"}) is Effect.ALLOW
    denied = play.say("shell/run", {"cmd": "rm -rf /"}, satisfied=("p/line-2",))
    assert (denied.effect, denied.reason_code) == (Effect.DENY, ReasonCode.FORBIDDEN_RULE)


def test_the_words_for_an_effect():
    play = Play(fpl("allow a\napprove b\nblock c\nreject d\ndefault permit"))
    assert [play.effect(tool) for tool in "abcd"] == [Effect.ALLOW, Effect.ALLOW, Effect.DENY, Effect.DENY]
    assert play.say("other").reason_code is ReasonCode.DEFAULT
    assert play.effect("other") is Effect.ALLOW


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


def test_an_agents_block_says_nothing_of_other_agents():
    bot = load("agent bot {\n default permit\n deny secret\n}", format="fpl", name="bot")
    strict = load("agent 'clerk-*' {\n default deny\n permit read\n}", format="fpl", name="strict")
    engine = PolicyEngine(compile_policies([bot, strict]))
    assert Play(engine, "bot").effect("read") is Effect.ALLOW
    assert Play(engine, "bot").effect("secret") is Effect.DENY
    assert Play(engine, "clerk-1").effect("read") is Effect.ALLOW
    assert Play(engine, "clerk-1").effect("write") is Effect.DENY
    nobody = Play(engine, "other").say("read")
    assert (nobody.effect, nobody.reason) == (Effect.DENY, "no rule applies; the default of policy none is deny")


def test_a_budget_turns_the_next_call_into_a_question():
    play = Play(
        fpl(
            "agent payment-bot {\n budget session {\n max $500 max_calls 4 warn_at 0.8 on_exceed defer\n }\n permit *\n}"
        )
    )
    assert play.say("pay", {"amount": 300}).alerts == ()
    assert play.say("pay", {"amount": 150.5}).alerts == ("p/payment-bot.budget-session",)
    over = play.say("pay", {"amount": 100})
    assert (over.effect, over.reason_code) == (Effect.STEP_UP, ReasonCode.BUDGET_EXCEEDED)
    assert play.effect("pay", {"amount": 100}, approve=True) is Effect.ALLOW
    assert play.effect("free", {}) is Effect.STEP_UP  # the money is spent, and this call costs none: 550 of 500
    assert play.effect("free", {}, approve=True) is Effect.ALLOW
    both = play.say("pay", {"amount": 1})
    assert both.reason_code in {ReasonCode.BUDGET_EXCEEDED, ReasonCode.RATE_LIMITED}
    assert len(both.asks) == 2  # one answer for the money and the calls
    assert play.effect("pay", {"amount": 1}, approve=True) is Effect.ALLOW


def test_a_daily_budget_counts_over_sessions_and_denies_unless_told_otherwise():
    engine = fpl("agent payment-bot {\n budget daily {\n max 10 max_calls 3\n }\n permit *\n}")
    one, other = Play(engine), Play(engine)
    other.spent = one.spent
    assert one.effect("pay", {"amount": 6}) is Effect.ALLOW
    assert other.effect("pay", {"amount": 6}) is Effect.DENY
    assert other.effect("look", {}) is Effect.ALLOW
    assert one.effect("look", {}) is Effect.ALLOW
    assert one.say("look").reason_code is ReasonCode.RATE_LIMITED
    assert one.effect("pay", {"amount": 6}, wait=2 * 86400) is Effect.ALLOW


@pytest.mark.parametrize(("per", "seconds"), [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400)])
def test_a_rate_limit_holds_over_all_tools_of_its_glob(per, seconds):
    play = Play(fpl(f"rate_limit 'stripe/*': 2 per {per}\npermit *"))
    assert play.effect("stripe/refund", wait=0) is Effect.ALLOW
    assert play.effect("stripe/charge", wait=0) is Effect.ALLOW
    denied = play.say("stripe/refund", wait=0)
    assert (denied.effect, denied.reason_code, denied.rule.id) == (Effect.DENY, ReasonCode.RATE_LIMITED, "rate-line-1")
    assert play.effect("other", wait=0) is Effect.ALLOW
    assert play.effect("stripe/refund", wait=2 * seconds) is Effect.ALLOW


def test_an_ambient_limit_is_a_limit_per_day():
    play = Play(fpl("ambient { max_calls_per_day 1 on_exceed deny }\npermit *"))
    assert [play.effect("a"), play.effect("b")] == [Effect.ALLOW, Effect.DENY]


def test_redacted_arguments_reach_no_tool():
    play = Play(fpl("redact stripe/charge args: ['card_number', 'card.number']\npermit stripe/charge\ndefer other"))
    changed = play.say("stripe/charge", {"card_number": "4111", "card": {"number": "42", "name": "Kim"}})
    assert changed.effect is Effect.MODIFY
    assert changed.modified_args == {"card_number": "[REDACTED]", "card": {"number": "[REDACTED]", "name": "Kim"}}
    assert play.effect("stripe/charge", {"amount": 3}) is Effect.ALLOW


def test_phases_go_one_way():
    text = """
agent payment-bot {
  phase intake { permit read_customer duration 10m next execution }
  phase execution { permit refund when amount < 10 defer refund duration 1h }
  permit search
}
"""
    play = Play(fpl(text))
    assert play.effect("read_customer") is Effect.ALLOW
    early = play.say("refund", {"amount": 5})
    assert (early.effect, early.reason_code) == (Effect.DENY, ReasonCode.OUT_OF_PHASE)
    assert play.effect("search") is Effect.ALLOW
    assert play.say("phase/other").reason_code is ReasonCode.OUT_OF_PHASE
    assert play.effect("phase/execution") is Effect.ALLOW
    assert play.effect("refund", {"amount": 5}) is Effect.ALLOW
    assert play.effect("refund", {"amount": 50}) is Effect.STEP_UP
    assert play.say("read_customer").reason_code is ReasonCode.OUT_OF_PHASE
    assert play.say("phase/intake").reason_code is ReasonCode.OUT_OF_PHASE
    assert (
        play.say("refund", {"amount": 5}, wait=3700).reason
        == "refund belongs to a phase, and the time of the last phase is over"
    )
    assert play.effect("search") is Effect.ALLOW


def test_a_phase_ends_with_its_time():
    play = Play(fpl("phase a {\n permit x\n duration 1m\n}\nphase b {\n permit y\n}"))
    assert [play.effect("x"), play.effect("y")] == [Effect.ALLOW, Effect.DENY]
    assert [play.effect("x", wait=60), play.effect("y")] == [Effect.DENY, Effect.ALLOW]


def test_entering_a_phase_may_be_a_question_to_a_person():
    play = Play(fpl("agent payment-bot {\n defer phase/b\n phase a { permit x }\n phase b { permit y }\n}"))
    assert play.effect("phase/b") is Effect.STEP_UP
    assert play.effect("y") is Effect.DENY
    assert play.effect("phase/b", approve=True) is Effect.ALLOW
    assert play.effect("y") is Effect.ALLOW


def test_a_tool_after_another_within_a_time():
    text = """
defer http/* when history_contains_within("secrets/*", 300)
deny shell/* when history_sequence("read_file", "http/post")
defer stripe/* when history_tool_count("stripe/*") >= 2
deny slow when deny_count_within(60) >= 1
permit *
"""
    play = Play(fpl(text))
    assert play.effect("http/post") is Effect.ALLOW
    assert play.effect("read_file") is Effect.ALLOW
    assert play.effect("shell/run") is Effect.ALLOW  # the post came before the read
    assert play.effect("secrets/a") is Effect.ALLOW
    assert play.effect("http/get", wait=300) is Effect.STEP_UP
    assert play.effect("http/post", wait=1) is Effect.ALLOW
    assert play.effect("shell/run") is Effect.DENY
    assert play.effect("slow") is Effect.DENY
    assert play.effect("slow", wait=61) is Effect.ALLOW
    assert [play.effect("stripe/a") for _ in range(3)] == [Effect.ALLOW, Effect.ALLOW, Effect.STEP_UP]


def test_whom_a_rule_wants_told_stands_in_the_decision():
    play = Play(fpl("defer pay notify: 'finance' notify: on-call reason: 'money'\ndeny! x notify: security"))
    assert play.say("pay").notify == ("finance", "on-call")
    assert play.say("x").notify == ("security",)


def test_what_always_holds_here_may_be_said():
    load('system { version "1.0" on_policy_load_failure deny_all }\npermit a', format="fpl", name="p")
    load('system main {\n version "1.0"\n}\npermit a', format="fpl", name="p")


def test_what_is_told_and_not_enforced_stands_in_the_description():
    text = 'agent a {\n model "gpt"\n framework = langgraph\n version "2"\n}\nagent b { permit x }'
    document = load(text, format="fpl", name="p")
    assert document.description == "agent a: framework langgraph, model gpt, version 2"


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


def test_an_fpl_file_is_known_by_its_first_word():
    assert looks_like_fpl("# comment\n\nagent payment-bot {")
    assert looks_like_fpl("deny! shell/*")
    assert not looks_like_fpl("name: x\nrules: []")
    assert not looks_like_fpl("rules: []\nname: x")
    assert not looks_like_fpl('{"name": "x"}')
    assert not looks_like_fpl("")


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


def test_a_delegate_may_be_handed_what_is_within_its_scope():
    text = """
agent payment-bot {
  delegate checker { scope "stripe/refund:amount<=$500" ttl 24h ceiling inherited }
  delegate clerk { scope "read_customer, read_order" ceiling approval }
}
"""
    play = Play(fpl(text))
    hand_off = {"tools": ["stripe/refund"], "ceilings": {"amount": 500}, "seconds": 3600, "depth": 0}
    assert play.effect("delegate/checker", hand_off) is Effect.ALLOW
    for more in (
        {"tools": ["stripe/*"]},
        {"tools": ["stripe/refund", "x"]},
        {"ceilings": {"amount": 501}},
        {"ceilings": {}},
        {"seconds": 90000},
    ):
        assert play.effect("delegate/checker", hand_off | more) is Effect.DENY
    assert play.effect("delegate/clerk", {"tools": ["read_order"], "ceilings": {}, "seconds": 5}) is Effect.STEP_UP
    assert play.effect("delegate/other", hand_off) is Effect.DENY


def test_agents_that_act_only_for_others_are_told_by_the_depth():
    play = Play(fpl("deny! * when delegation.depth == 1\npermit *"))
    assert play.effect("x") is Effect.DENY
    hop = DelegationHop(
        id="d", delegator="a", delegate="payment-bot", grants=(DelegationGrant(tool="*"),), expires_at=9e9
    )
    assert play.effect("x", delegation=(hop,)) is Effect.ALLOW
    origin = Play(fpl("permit x when delegation.origin_agent == 'a'"))
    assert origin.effect("x", delegation=(hop,)) is Effect.ALLOW
    assert origin.effect("x") is Effect.DENY


def test_an_id_may_be_made_of_a_glob_and_two_rules_may_stand_on_one_line():
    content = read_fpl('agent "*-bot" { permit a permit b }\nagent "é" { permit c }', name="p").plain()
    assert [rule["id"] for rule in content["rules"]] == ["any-bot.line-1", "any-bot.line-1-2", "agent_.line-2"]


def test_values_of_all_kinds():
    text = 'var a "x"\nvar b = 2.5\nvar c false\npermit t when args.p == a and args.q == b and args.r == c and args.s == $3'
    assert Play(fpl(text)).effect("t", {"p": "x", "q": 2.5, "r": False, "s": 3}) is Effect.ALLOW


def test_a_broken_block_with_a_text_that_never_ends_is_passed_over():
    assert next(line for line, *_ in problems('agent a {\n  egress {\n    allow = "x\n  }\n')) == 2


def test_a_block_with_too_many_faults_is_given_up():
    assert len(problems("agent a {\n" + "egress\n" * 500 + "}\n")) == 100


def test_a_budget_of_money_alone_counts_no_calls():
    document = load("agent a {\n budget session {\n max $3\n }\n permit *\n}", format="fpl", name="p")
    assert [one.id for one in document.limits] == ["a.budget-session"]


def test_agents_of_different_files_follow_plans_of_their_own():
    files = [f"agent {name} {{\n phase one {{\n permit x\n }}\n}}" for name in ("a", "b")]
    engine = PolicyEngine(compile_policies([load(text, format="fpl", name=f"p{at}") for at, text in enumerate(files)]))
    for name in ("a", "b"):
        play = Play(engine, agent=name)
        assert play.effect("x") is Effect.ALLOW
        assert play.effect("y") is Effect.DENY
