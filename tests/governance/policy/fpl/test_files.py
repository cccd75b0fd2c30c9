"""Whole files: what they decide, and in which order."""

import pytest

from mutx.governance.hops import DelegationGrant, DelegationHop
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.fpl import looks_like_fpl, read_fpl
from mutx.governance.types import Effect, ReasonCode
from tests.governance.policy.play import Play, fpl


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


def test_an_fpl_file_is_known_by_its_first_word():
    assert looks_like_fpl("# comment\n\nagent payment-bot {")
    assert looks_like_fpl("deny! shell/*")
    assert not looks_like_fpl("name: x\nrules: []")
    assert not looks_like_fpl("rules: []\nname: x")
    assert not looks_like_fpl('{"name": "x"}')
    assert not looks_like_fpl("")


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
