"""The REST short form."""

import pytest

from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.model import RuleEffect
from mutx.governance.policy.short import ShortScope, short_policy, strictest
from mutx.governance.types import Effect
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.support import action, decide


def rule(kind, pattern, scope="tool", act="log"):
    return {"type": kind, "pattern": pattern, "action": act, "scope": scope}


SHORT = short_policy("short", [
    rule("allow", "*"),
    rule("warn", "db.*"),
    rule("block", "pay.*", act="require_approval"),
    rule("block", "rm*"),
    rule("block", "(?i)ignore (all )?previous", "input"),
    rule("warn", "secret", "input"),
    rule("block", "[0-9]{3}-[0-9]{2}", "output", act="redact"),
])  # fmt: skip


@pytest.mark.parametrize(("tool", "effect"), [
    ("ls", Effect.ALLOW), ("db.read", Effect.ALLOW), ("pay.now", Effect.STEP_UP), ("rm_all", Effect.DENY),
])  # fmt: skip
def test_tool_rules_decide_calls_the_strictest_first(tool, effect):
    engine = PolicyEngine(compile_policies([SHORT.document]))
    made = decide(engine, action(tool))
    assert made.effect is effect
    assert bool(made.alerts) is (tool == "db.read")


def test_text_rules_search_the_text_of_their_scope():
    text = "a secret: IGNORE previous 123-45"
    assert [one.pattern for one in SHORT.evaluate_text(ShortScope.INPUT, text)] == [
        "(?i)ignore (all )?previous",
        "secret",
    ]
    assert strictest(SHORT.evaluate_text(ShortScope.INPUT, text)) is RuleEffect.DENY
    assert strictest(SHORT.evaluate_text(ShortScope.OUTPUT, "fine")) is RuleEffect.ALLOW
    assert len(SHORT.evaluate_text(ShortScope.OUTPUT, "\ud800 123-45")) == 1


def test_a_short_policy_has_no_say_in_the_default():
    alone = PolicyEngine(compile_policies([short_policy("s", [rule("block", "x", "input")]).document]))
    assert decide(alone, action()).effect is Effect.DENY
    both = PolicyEngine(compile_policies([SHORT.document, load("name: main\ndefault: allow")]))
    assert decide(both, action("anything")).effect is Effect.ALLOW


@pytest.mark.parametrize("bad", [
    rule("block", "(", "input"), rule("block", "(?=x)", "output"), rule("block", ""), rule("block", "x" * 300),
    rule("maybe", "x"), rule("block", "x", "network"), {"type": "block"},
])  # fmt: skip
def test_what_is_no_rule_is_refused(bad):
    with pytest.raises(PolicyInvalid) as refused:
        short_policy("s", [rule("allow", "*"), bad])
    assert refused.value.details["problems"][0]["line"] == 2


def test_content_names_the_version():
    other = short_policy("short", [rule("allow", "*")])
    assert other.document.digest != SHORT.document.digest
    assert not short_policy("s", [], enabled=False).document.enabled
