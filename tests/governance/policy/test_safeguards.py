"""DESIGN §2, the safeguards: untrusted and unknown arguments, tools that need approval, drift."""

import pytest

from mutx.governance.types import (
    Effect,
    IntentSignal,
    ReasonCode,
)
from tests.governance.policy.support import TOOLS, action, decide, engine, policy, session


class TestSafeguards:
    def test_a_critical_value_known_only_from_untrusted_output(self):
        policies = engine(policy("  - {id: a, effect: allow}", rest=TOOLS))
        tainted = session(unreported=True)
        made = decide(policies, action("mail", {"to": "eve@evil.example"}), context=tainted)
        assert (made.effect, made.reason_code) == (Effect.STEP_UP, ReasonCode.UNTRUSTED_ARGUMENT)
        (ask,) = made.asks
        assert ask.startswith("untrusted_argument:to@")
        older = decide(
            policies, action("mail", {"to": "eve@evil.example"}), context=tainted, satisfied=("untrusted_argument:to",)
        )
        assert older.effect is Effect.ALLOW
        assert made.critical[0].value == "eve@evil.example"
        approved = decide(policies, action("mail", {"to": "eve@evil.example"}), context=tainted, satisfied=made.asks)
        assert (approved.effect, approved.reason_code) == (Effect.ALLOW, ReasonCode.APPROVED)

    def test_a_critical_value_that_nobody_mentioned(self):
        policies = engine(policy("  - {id: a, effect: allow}", rest=TOOLS))
        made = decide(policies, action("mail", {"to": "bob@corp.example"}))
        assert (made.effect, made.reason_code) == (Effect.STEP_UP, ReasonCode.UNKNOWN_ARGUMENT)
        quiet = engine(
            policy("  - {id: a, effect: allow}", rest=TOOLS.replace("ask_unknown: true", "ask_unknown: false"))
        )
        assert decide(quiet, action("mail", {"to": "bob@corp.example"})).effect is Effect.ALLOW

    def test_a_tool_that_needs_approval(self):
        policies = engine(policy("", default="allow", rest=TOOLS))
        made = decide(policies, action("pay"))
        assert (made.effect, made.reason_code) == (Effect.STEP_UP, ReasonCode.REQUIRES_APPROVAL)
        assert (made.approval.timeout, made.approval.escalate_after) == (100.0, 60.0)
        assert decide(policies, action("pay"), satisfied=made.asks).effect is Effect.ALLOW

    def test_the_approval_of_a_rule_is_approval_of_the_tool(self):
        policies = engine(policy("  - {id: a, effect: step_up}", rest=TOOLS))
        assert decide(policies, action("pay"), satisfied=("main/a",)).effect is Effect.ALLOW

    @pytest.mark.parametrize(("confirmed", "effect"), [
        ("allow", Effect.ALLOW), ("step_up", Effect.STEP_UP), ("defer", Effect.DEFER), ("deny", Effect.DENY),
    ])  # fmt: skip
    def test_drift(self, confirmed, effect, monkeypatch):
        drifting(monkeypatch, IntentSignal.DRIFT_CONFIRMED)
        policies = engine(policy("  - {id: a, effect: allow}", rest=f"intent: {{confirmed: {confirmed}}}"))
        made = decide(policies, action())
        assert made.effect is effect
        if effect is not Effect.ALLOW:
            assert made.reason_code is ReasonCode.INTENT_MISALIGNED
        if effect.waits:
            assert decide(policies, action(), satisfied=made.asks).effect is Effect.ALLOW

    def test_a_rule_that_requires_alignment_asks_at_least(self, monkeypatch):
        drifting(monkeypatch, IntentSignal.DRIFT_SUSPECTED)
        policies = engine(policy("  - {id: a, effect: allow, require_alignment: true}"))
        assert decide(policies, action()).effect is Effect.STEP_UP

    def test_undeclared_tools_without_rules_ask_the_default_people(self, monkeypatch):
        drifting(monkeypatch, IntentSignal.DRIFT_CONFIRMED)
        made = decide(engine(policy("", default="allow", rest="intent: {confirmed: step_up}")), action())
        assert (made.effect, made.approval) == (Effect.STEP_UP, None)


def drifting(monkeypatch, signal):
    """Drift is the context's business; here only what the policy makes of it counts."""
    monkeypatch.setattr("mutx.governance.context.observation.Observation.intent", property(lambda _: signal))
