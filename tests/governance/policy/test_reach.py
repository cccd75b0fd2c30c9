"""Which tools a listing may leave out: those of which no call is ever let through, and no other."""

import pytest

from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.reach import denied_outright
from mutx.governance.policy.snapshot import PolicySnapshot

AGENT = "bot"


def _snapshot(*documents: str) -> PolicySnapshot:
    return compile_policies([load(one) for one in documents])


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ("[]", "no rule allows it"),
        ("[{id: a, match: {tool: pay}, effect: allow}]", None),
        ("[{id: a, match: {tool: pay}, effect: step_up}]", None),
        ("[{id: a, match: {tool: pay}, effect: deny, reason: never}]", "never"),
        ("[{id: a, match: {tool: pay}, effect: deny, when: args.a > 1}]", "no rule allows it"),
        (
            "[{id: a, match: {tool: pay}, effect: deny, when: args.a > 1}, "
            "{id: b, match: {tool: pay}, effect: allow, priority: 200}]",
            None,
        ),
        (
            "[{id: a, match: {tool: pay}, effect: deny, reason: never, priority: 10}, "
            "{id: b, match: {tool: '*'}, effect: allow}]",
            "never",
        ),
        (
            "[{id: a, match: {tool: '*'}, effect: allow, priority: 10}, "
            "{id: b, match: {tool: pay}, effect: deny, final: true, reason: never}]",
            "never",
        ),
        (
            "[{id: a, match: {tool: '*'}, effect: allow}, "
            "{id: b, match: {tool: pay}, effect: deny, final: true, when: args.a > 1}]",
            None,
        ),
        ("[{id: a, match: {tool: pay, session: 's*'}, effect: deny}]", "no rule allows it"),
        ("[{id: a, match: {tool: pay, agent: other}, effect: allow}]", "no rule allows it"),
        ("[{id: a, match: {tool: other}, effect: allow}]", "no rule allows it"),
    ],
)
def test_a_tool_is_left_out_only_if_every_call_is_denied(rules: str, why: str | None) -> None:
    assert denied_outright(_snapshot(f"name: x\nrules: {rules}"), "pay", AGENT) == why


def test_rules_of_one_priority_that_disagree_wait_for_a_person() -> None:
    first = "name: a\nrules: [{id: a, match: {tool: pay}, effect: deny}]"
    second = "name: b\nrules: [{id: b, match: {tool: pay}, effect: allow}]"
    assert denied_outright(_snapshot(first, second), "pay", AGENT) is None


def test_the_default_counts_where_no_rule_does() -> None:
    assert denied_outright(_snapshot("name: x\ndefault: step_up"), "pay", AGENT) is None


def test_a_critical_tool_never_runs() -> None:
    document = "name: x\ndefault: allow\ntools: [{name: pay, risk: critical}]"
    assert "critical risk" in str(denied_outright(_snapshot(document), "pay", AGENT))
