"""A condition is true or false: what certainly is not is refused, what turns out not to be is deferred."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutx.governance.policy.conditions import Condition
from mutx.governance.policy.document import load
from mutx.governance.policy.grammar_terms import amount, condition
from mutx.governance.policy.kinds import Kind
from mutx.governance.policy.lint import lint
from mutx.governance.policy.variables import field_kind
from mutx.governance.types import Effect, ReasonCode
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.support import action, decide, engine, policy

NOT_BOOLEAN = {
    "'x'": "text", "1 + 1": "number", "args": "map", "session.level": "number", "identity.roles": "list", "1.5": "number",
    "args.a + args.b": "neither", "-args.a": "number", "[1]": "list", "{'a': 1}": "map", "size(args.a)": "number",
    "args.a.size()": "number", "null": "null", "args.a == 1 || 'x'": "text", "args.a && 1": "number", "!1": "number",
    "(args.a * 2)": "number", "args.a ? 1 : 2": "number", "args.a ? true : 'x'": "text", "args.a.map(x, x)": "list",
    "string(args.a)": "text", "duration('1s')": "neither", "!session.calls": "number", "(('x'))": "text", "b'x'": "neither",
    "args.a - 1": "number", "'a' + args.b": "text", "session.level ? true : false": "number", "5u": "number",
    "(args.a ? 'x' : 'y') + 'z'": "text", "1 - -args.a": "number", "time.iso": "text", "args.a ? true : args.b ? 1 : true": "number",
    "args.a.b(1)[0] == 1 && {'k': 'v'}": "map", "[1] + [2]": "list", "args.a == 1 ? 'x' : args.b": "text",
}  # fmt: skip
PERHAPS = [
    "args.a > 1", "args.a", "!args.a", "args.a && args.b", "args.a ? args.b : false", "args.xs.exists(x, x > 1)",
    "!(args.a == 1)", "has(args.a)", "-args.a < 3", "session.untrusted", "args.a.matches('x') || args.b", "bool(args.a)",
    "args.m['k']", "args.f(1)", "dyn(args.a)", "args.a == 1 ? args.b : args.c.size() > 1", "max(args.a, args.b)", "true",
    "'a' in args.xs", "args.a[0]", "!args.a == args.b", "{'a': true}.a", "[true][0]", "unknown", "session.mood", "args.a.b.c",
    "(args.a ? 1 : 'x') == 1", "args.a - 1 >= 2 && -1 < args.b", "args.a.map(x, x)[0]", "a.b.c(1).d", "size(args.a) in [1]",
    "args.a == (args.b ? 1 : 2)", "args.xs.all(x, x in ['a', 'b'])",
]  # fmt: skip


@pytest.mark.parametrize(("source", "kind"), NOT_BOOLEAN.items())
def test_what_is_certainly_not_boolean_is_refused(source, kind):
    with pytest.raises(ValueError, match="must be true or false: compare it") as refused:
        condition(source)
    assert kind in str(refused.value)


@pytest.mark.parametrize("source", PERHAPS)
def test_what_may_be_boolean_is_taken(source):
    assert condition(source).source == source


@pytest.mark.parametrize(
    "source", ["args.a > 1", "'x'", "[1]", "has(args.a)", "args.a ? 'x' : 'y'", "session.untrusted"]
)
def test_an_amount_that_is_certainly_no_number_is_refused(source):
    with pytest.raises(ValueError, match="an amount must be a number"):
        amount(source)


@pytest.mark.parametrize("source", ["n", "args.a + args.b", "args.a * 2", "session.calls", "args.a ? 1 : 'x'", "5"])
def test_an_amount_may_be_anything_that_could_be_one(source):
    assert amount(source)


atoms = st.sampled_from(["1", "1.5", "'x'", "true", "args.t", "args.n", "args.s", "[1, 2]", "session.level", "null"])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+ - * == < && || in".split()), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from("+ == && ||".split()), inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("size({})".format, inner),
        st.builds("[{}].exists(x, x == {})".format, inner, inner),
    ),
    max_leaves=6,
)
ROOTS = {"args": {"t": True, "n": 5, "s": "text"}, "session": {"level": 2}}
KINDS = {
    bool: Kind.BOOLEAN,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    str: Kind.TEXT,
    list: Kind.LIST,
    type(None): Kind.NULL,
}


@settings(max_examples=600, deadline=None)
@given(expressions)
def test_no_refused_condition_could_have_held(source):
    """Whatever the library makes true or false was not called otherwise, and no number was called something else."""
    try:
        made = Condition(source)
    except ValueError:
        return
    value = made.value(lambda: ROOTS)
    misfit = made.not_boolean(field_kind)
    if type(value) is bool and misfit is not None:
        # decided by one side, with an error on the other
        assert "||" in source or "&&" in source or "?" in source
    if type(value) in {int, float}:
        assert made.not_number(field_kind) is None


def test_the_refusal_names_rule_line_and_remedy():
    with pytest.raises(PolicyInvalid) as refused:
        load("name: a\nrules:\n- {id: good, effect: allow}\n- id: bad\n  effect: deny\n  when: args.n + 1\n")
    (problem,) = refused.value.details["problems"]
    assert (problem["line"], problem["column"]) == (6, 9)
    assert problem["message"].startswith("rule bad: `args.n + 1` is a number")
    assert "args.amount > 100" in problem["message"]
    with pytest.raises(PolicyInvalid, match=r"rule x: `\[ 1 \]` is a list.* line 3: rule x: `1` is a number"):
        load("name: a\nrules:\n- {id: x, effect: allow, budget: {amount: '[1]', max: 1}, when: '1'}")


DECLARED = """
name: a
tools:
  pay: {parameters: {amount: {type: number}, urgent: {type: boolean}, note: {}}}
rules:
- {id: r, effect: allow, match: {tool: pay}, when: WHEN}
"""


@pytest.mark.parametrize(("when", "code"), [
    ("args.amount", "not_boolean"), ("'!args.amount'", "not_boolean"), ("args.amount > 1 && args.amount", "not_boolean"),
    ("args.urgent", None), ("args.note", "bare_argument"), ("args.other", "bare_argument"), ("args.urgent.x", "bare_argument"),
    ("args.amount > 1", None), ("session.untrusted", None), ("args.urgent || args.note", None),
])  # fmt: skip
def test_declarations_tell_what_an_argument_is(when, code):
    found = lint([load(DECLARED.replace("WHEN", when))])
    assert [(one.code, one.rule, one.line) for one in found] == ([(code, "r", 6)] if code else [])


def test_declarations_that_disagree_tell_nothing():
    other = "name: b\ntools:\n  pay: {parameters: {amount: {type: boolean}}}"
    found = lint([load(DECLARED.replace("WHEN", "args.amount")), load(other)])
    assert [one.code for one in found] == ["bare_argument", "duplicate_tool"]


@pytest.mark.parametrize("when", ["args.a", "dyn(args.a)", "args.t ? args.a : false", "max(args.a, 2)"])
@pytest.mark.parametrize("before", [0, 9])
def test_a_condition_that_turns_out_not_boolean_defers(when, before):
    """Never passed over in silence, wherever it stands among the rules."""
    many = "".join(f"  - {{id: n{n}, effect: deny, when: args.t == {n}, priority: 1}}\n" for n in range(before))
    policies = engine(
        policy(
            f"{many}  - {{id: r, effect: deny, when: '{when}', priority: 2}}\n  - {{id: all, effect: allow, priority: 3}}"
        )
    )
    made = decide(policies, action("pay", {"a": 5, "t": True}))
    assert (made.effect, made.reason_code, made.rule.id) == (Effect.DEFER, ReasonCode.MISSING_CONTEXT, "r")
    assert "rule main/r cannot be evaluated: args" in made.reason


def test_a_condition_without_fields_says_what_is_wrong_too():
    made = decide(engine(policy("  - {id: r, effect: deny, when: 'max(1, 2)'}")), action("pay"))
    assert (made.effect, made.missing) == (Effect.DEFER, ())
    assert made.reason == "rule main/r cannot be evaluated: its condition is not true or false"
