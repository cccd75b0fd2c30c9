"""Lint names mistakes with the lines they stand on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutx.governance.policy.conditions import Condition
from mutx.governance.policy.document import load
from mutx.governance.policy.lint import lint
from mutx.governance.policy.lint_pairs import Ranked, _compared, compare_rules
from mutx.governance.policy.model import PolicyRule, RuleEffect, RuleMatch
from mutx.governance.policy.postings import ordered


def found(*documents):
    return [(one.code, one.line, one.rule) for one in lint([load(text) for text in documents])]


def rules(*lines):
    return "name: a\nrules:\n" + "\n".join(f"- {{{line}}}" for line in lines)


CASES = {
    "nothing": (rules("id: x, effect: allow, when: 'args.a > 1'"), []),
    "unreachable": (
        rules("id: x, effect: deny, priority: 1, match: {tool: 'a*'}", "id: y, effect: allow, match: {tool: abc}"),
        [("unreachable", 4, "y")],
    ),
    "final first": (
        rules("id: x, effect: allow, priority: 1", "id: y, effect: deny, final: true"), [("unreachable", 3, "x")],
    ),
    "empty condition": (
        rules("id: x, effect: allow, when: 'args.a > 5 && args.a < 3'"), [("unreachable", 3, "x")],
    ),
    "empty choice": (
        rules("id: x, effect: allow, when: \"args.a == 'b' && args.a in ['c']\""), [("unreachable", 3, "x")],
    ),
    "shadowed": (
        rules("id: x, effect: deny, priority: 1, when: 'args.a > 5'", "id: y, effect: allow, when: 'args.a > 5'"),
        [("shadowed", 4, "y")],
    ),
    "covers only in part": (
        rules("id: x, effect: deny, priority: 1, match: {tool: abc}", "id: y, effect: allow, match: {tool: 'a*'}"), [],
    ),
    "contradictory": (
        rules("id: x, effect: deny, match: {tool: 'a*'}", "id: y, effect: allow, match: {tool: '*b'}"),
        [("contradictory", 4, "y")],
    ),
    "same effect": (rules("id: x, effect: warn", "id: y, effect: allow"), []),
    "different tools": (rules("id: x, effect: deny, match: {tool: a}", "id: y, effect: allow, match: {tool: b}"), []),
    "different agents": (
        rules("id: x, effect: deny, match: {agent: a}", "id: y, effect: allow, match: {agent: b}"), [],
    ),
    "disjoint conditions": (
        rules("id: x, effect: deny, when: 'args.a > 5'", "id: y, effect: allow, when: 'args.a <= 5'"), [],
    ),
    "unknown variable": (rules("id: x, effect: allow, when: 'arg.a > 1'"), [("unknown_variable", 3, "x")]),
    "unknown field": (rules("id: x, effect: allow, when: 'session.mood > 1'"), [("unknown_field", 3, "x")]),
    "unknown function": (rules("id: x, effect: allow, when: 'frob(args.a)'"), [("unknown_function", 3, "x")]),
    "a macro's own variable": (rules("id: x, effect: allow, when: 'args.a.all(x, x.size() > 1)'"), []),
    "escalation": (
        rules("id: x, effect: step_up, timeout: 1m, escalate: {after: 1m}"), [("escalation_after_expiry", 3, "x")],
    ),
    "limit on deny": (rules("id: x, effect: deny, rate: {per_minute: 5}"), [("limit_without_allow", 3, "x")]),
    "zero": (
        rules("id: x, effect: allow, rate: {per_session: 0}, budget: {amount: n, max: 0}"), [("limit_zero", 3, "x")],
    ),
    "undeclared": (
        rules("id: x, effect: allow, match: {tool: mial}", "id: y, effect: allow, match: {tool: 'm*'}") + "\ntools: {mail: {}}",
        [("undeclared_tool", 3, "x")],
    ),
    "disabled": (rules("id: x, effect: allow, enabled: false, when: 'foo'"), []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_findings(text, expected):
    assert found(text) == expected


def test_findings_across_documents():
    tools = "\ntools: {t: {}}"
    assert found("name: a" + tools, "name: b" + tools) == [("duplicate_tool", 2, "")]
    assert found("name: a", "name: a") == [("duplicate_policy", 1, "")]
    assert found("name: a\nenabled: false", "name: a") == []


globs = st.text("ab*", min_size=1, max_size=4)
some_rules = st.lists(
    st.builds(
        lambda tool, agent, when, effect, priority, final: PolicyRule(
            id="r",
            effect=RuleEffect.DENY if final else effect,
            match=RuleMatch(tool=tool, agent=agent),
            when=Condition(when) if when else None,
            priority=priority,
            final=final,
        ),
        globs,
        st.sampled_from(["*", "a*", "a"]),
        st.sampled_from(["", "", "args.x > 1", "args.x < 1", "args.y == 'b'"]),
        st.sampled_from([RuleEffect.ALLOW, RuleEffect.DENY, RuleEffect.WARN]),
        st.integers(1, 3),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=8,
)


@settings(max_examples=500, deadline=None)
@given(some_rules)
def test_the_index_of_covering_rules_misses_nothing(made):
    """Against every pair in order: the first earlier rule with a remark makes it."""
    named = [(f"p{number}", rule) for number, rule in enumerate(made)]
    ranked = sorted((Ranked(*one) for one in named), key=lambda one: (one.order, one.policy, one.rule.id))
    expected = []
    for position, later in enumerate(ranked):
        remarks = (_compared(earlier, later) for earlier in ranked[:position])
        expected += [next((remark for remark in remarks if remark), None)]
    found = {one.policy: one for one in compare_rules(named)}
    assert [found.get(one.policy) for one in ranked] == expected


def test_sorting_in_slices_is_sorting():
    numbers = [(number * 7919) % 1000 for number in range(3000)]
    assert ordered(enumerate(numbers), key=lambda one: one[1]) == sorted(enumerate(numbers), key=lambda one: one[1])


def test_comparing_stops_somewhere(monkeypatch):
    monkeypatch.setattr("mutx.governance.policy.lint_pairs.MAX_PAIRS", 1)
    tools = "\n".join(f"- {{id: r{number}, effect: allow, match: {{tool: '*{number}*'}}}}" for number in range(9))
    document = load(f"name: a\nrules:\n{tools}")
    assert [one.code for one in compare_rules([("a", rule) for rule in document.rules])] == ["incomplete"]
