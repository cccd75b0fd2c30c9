"""`when` expressions: what each becomes in CEL, and what is refused, with its place."""

import pytest

from mutx.governance.policy.document import load
from mutx.governance.policy.fpl import read_fpl
from mutx.governance.types import Effect
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.play import Play, fpl

TRANSLATED = {
    "amount > 500": "args.amount > 500",
    "amount >= $500.50 and cmd == 'x'": 'args.amount >= 500.5 && args.cmd == "x"',
    "limit < amount || flag": "250 < args.amount || true",
    "amount < vars.limit": "args.amount < 250",
    "host == 'a' && path == 'b'": 'args.host == "a" && args.path == "b"',
    "(args.p or args.q) and args.r": "(args.p || args.q) && args.r",
    "args.p or args.q and args.r": "args.p || args.q && args.r",
    "not (args.p and args.q)": "!(args.p && args.q)",
    "not not args.p": "!!args.p",
    "!args.p": "!args.p",
    'args["x-y"].z[0] != "n"': 'args["x-y"].z[0] != "n"',
    'args.in == "n"': 'args["in"] == "n"',
    "args.x == nil": "!has(args.x) || args.x == null",
    "nil != args.x": "!(!has(args.x) || args.x == null)",
    'args["a b"] == nil': '!("a b" in args) || args["a b"] == null',
    "args.x in ['a', 2, 2.5, -1]": 'args.x in ["a", 2, 2.5, -1]',
    "args.x not in []": "!(args.x in [])",
    'args.cmd matches "^rm|\\\\d"': 'args.cmd.matches("^rm|\\\\d")',
    "args.cmd contains 'a\"b\\n'": 'args.cmd.contains("a\\"b\\u000a")',
    "args.cmd startsWith 'a' or args.cmd endsWith 'b'": 'args.cmd.startsWith("a") || args.cmd.endsWith("b")',
    "args.a + 1 > args.b * -2": "double(args.a) + 1.0 > double(args.b) * -2.0",
    "-(args.a - args.b) < 3": "-(double(args.a) - double(args.b)) < 3",
    "(args.a - 1) * 2 == 4": "(double(args.a) - 1.0) * 2.0 == 4",
    "args.a ? args.b : args.c == 1": "args.a ? args.b : args.c == 1",
    "len(args.to) > 2": "size(args.to) > 2",
    "recipients > 2": "size(args.recipients) > 2",
    "contains(args.to, 'a')": '"a" in args.to',
    "args_array_len('mail.to') == 1": "size(args.mail.to) == 1",
    "args_array_contains('to', 'x')": '"x" in args.to',
    "args_array_any_match('to', '*@a.b')": 'args.to.exists(one, one.matches("^[^/]*@a\\\\.b$"))',
    "principal.role == 'a' and 'b' != principal.role": '"a" in identity.roles && !("b" in identity.roles)',
    "principal.verified == true": "true == true",
    "delegation.depth > 1": "(size(identity.delegation) + 1) > 1",
    "session.call_count > 3 and tool_name == 'x'": 'session.calls > 3 && action.tool == "x"',
    "time.hour < 7 or time.weekday >= 6": "time.hour < 7 || (time.weekday + 1) >= 6",
    "history_contains_within('s/*', 300)": 'history_contains_within("s/*", 300)',
    "history_sequence('a', 'b') and history_tool_count('a') >= 2": 'history_sequence("a", "b") && history_tool_count("a") >= 2',
    "deny_count_within(60) > 3": "deny_count_within(60) > 3",
    "true": "true",
}

REFUSED = {
    "amount / 2 > 3": (8, "`/` is not supported"),
    "amount % 2 == 1": (8, "`%` is not supported"),
    "amount ** 2 > 3": (8, "operator `**`"),
    "args.a?.b == 1": (7, "operator `?.`"),
    "args.a ?? 1 == 1": (8, "operator `??`"),
    "args.a in 1..5": (12, "operator `..`"),
    "args.a | upper() == 'A'": (8, "operator `|`"),
    "args.a = 3": (8, "operator `=`"),
    "purpose('refund')": (1, "`purpose` asks what the agent says of itself"),
    "upper(args.a) == 'A'": (1, "`upper` is no function"),
    "session.sum(x) > 3": (9, "`sum` is no function"),
    "session.cost_usd > 3": (1, "`session.cost_usd` is not known: of the session only call_count"),
    "selectors.risk.score > 0.8": (1, "nothing outside is asked"),
    "principal.tier == 'x'": (1, "of the principal only role"),
    "tool.tags == 'x'": (1, "nothing is known of a tool but its name"),
    "vars.unknown == 1": (1, "`vars.unknown` is not known"),
    "curency == 'USD'": (1, "write `args.curency` for an argument"),
    "args == 3": (1, "`args` is not known"),
    "principal.role in ['a']": (16, "compare principal.role with"),
    "history_sequence('a', 'b', 'c')": (1, "write history_sequence("),
    "history_contains_within(args.x, 300)": (1, "write history_contains_within("),
    "history_tool_count()": (1, "write history_tool_count("),
    "deny_count_within('60') > 1": (1, "write deny_count_within("),
    "len() > 1": (1, "write len(args.x)"),
    "args_array_len(args.x) > 1": (1, "write args_array_len("),
    "args_array_contains(3, 1)": (1, "write args_array_contains("),
    "args_array_any_match('x', 3)": (1, "write args_array_any_match("),
    "args.cmd matches args.x": (10, "a pattern in quotes"),
    "args.cmd matches '('": (10, "not a valid RE2 pattern"),
    "not args.a == 1": (1, "put brackets"),
    "!args.a in [1]": (1, "put brackets"),
    "1 < args.a < 5": (12, "join them with `and`"),
    "args.a not matches 'x'": (12, "`in` is expected after `not`"),
    "session.calls == nil": (1, "`session.calls` is not known"),
    "3 == nil": (3, "only an argument by its name"),
    "args.a + 'x' == 'bx'": (8, "texts cannot be put together"),
    "args.a == 'x": (11, "no closing quote"),
    "args.a == '\\d'": (12, "is no escape"),
    "args. == 1": (7, "a name is expected after `.`"),
    "args[1.5] == 1": (9, "an index is a whole number"),
    "args[x] == 1": (6, "a number is expected"),
    "args.a in [1": (None, "`,` is expected"),
    "(args.a": (None, "`)` is expected"),
    "args.a ? args.b": (None, "`:` is expected"),
    "== 3": (1, "a condition is expected here"),
    "(" * 17 + "args.a" + ")" * 17: (17, "nests at most 16 deep"),
    "not " * 17 + "args.a": (None, "nests at most 16 deep"),
    "-" * 17 + "args.a > 1": (None, "nests at most 16 deep"),
    " or ".join(["args.aaaaaaaaaaaaaaaaaaaa"] * 50): (1, "at most 1024 characters"),
    "args.a == '" + "x" * 2001 + "'": (11, "a text has at most"),
}


def rule(condition: str) -> str:
    return f"agent a {{\n  var limit 250\n  var flag true\n  permit t when {condition}\n}}\n"


@pytest.mark.parametrize("condition", [one for one, cel in TRANSLATED.items() if cel])
def test_a_condition_is_translated(condition):
    content = read_fpl(rule(condition), name="p").plain()
    assert content["rules"][0]["when"] == TRANSLATED[condition]
    if not condition.startswith("-("):
        load(rule(condition), format="fpl", name="p")


@pytest.mark.parametrize("condition", REFUSED)
def test_what_has_no_meaning_here_is_refused_with_its_place(condition):
    with pytest.raises(PolicyInvalid) as caught:
        load(rule(condition), format="fpl", name="p")
    problem = caught.value.details["problems"][0]
    column, message = REFUSED[condition]
    assert message in problem["message"]
    if column is not None:
        assert (problem["line"], problem["column"]) == (4, 16 + column)


def test_a_condition_that_is_no_condition_is_refused_where_it_stands():
    with pytest.raises(PolicyInvalid) as caught:
        load("permit t\n  when args.a + 1", format="fpl", name="p")
    problem = caught.value.details["problems"][0]
    assert (problem["line"], problem["column"]) == (2, 8)
    assert "a condition must be true or false" in problem["message"]


def test_a_missing_argument_makes_the_call_wait_and_is_no_zero():
    play = Play(fpl("permit pay when amount <= 500"))
    assert play.effect("pay", {"amount": 5}) is Effect.ALLOW
    assert play.effect("pay", {"amount": 501}) is Effect.DENY
    waits = play.say("pay")
    assert (waits.effect, waits.missing) == (Effect.DEFER, ("args.amount",))


def test_arithmetic_is_exact_for_whole_numbers_and_fractions_alike():
    play = Play(fpl("permit pay when args.net * 1.5 + 1 <= args.total - 0.5"))
    assert play.effect("pay", {"net": 2, "total": 4.5}) is Effect.ALLOW
    assert play.effect("pay", {"net": 2.5, "total": 5}) is Effect.DENY
    assert play.effect("pay", {"net": "2", "total": True}) is Effect.DEFER
