"""DESIGN §2, number by number: every effect and every reason code of the policy."""

import pytest

from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import (
    Confidentiality,
    Effect,
    GrantFact,
    Label,
    ReasonCode,
    Risk,
)
from tests.governance.policy.support import NOW, TOOLS, action, decide, engine, policy, session


def outcome(policies: PolicyEngine, *call, **facts):
    made = decide(policies, action(*call), **facts)
    return made.effect, made.reason_code


class TestForbidden:
    def test_a_final_deny_beats_an_allow_of_any_priority(self):
        policies = engine(
            policy("  - {id: a, effect: allow, priority: 1}\n  - {id: b, effect: deny, final: true, priority: 900}")
        )
        made = decide(policies, action())
        assert (made.effect, made.reason_code) == (Effect.DENY, ReasonCode.FORBIDDEN_RULE)
        assert made.rule.id == "b"
        assert [ref.id for ref in made.matched] == ["b"]

    def test_the_forbidden_list_is_final(self):
        policies = engine(policy("  - {id: a, effect: allow, priority: 1}", rest='forbidden: ["rm*", "rm*"]'))
        assert outcome(policies, "rm_all") == (Effect.DENY, ReasonCode.FORBIDDEN_RULE)
        assert outcome(policies, "ls") == (Effect.ALLOW, ReasonCode.RULE)
        assert decide(policies, action("rm_all")).rule.id == "forbidden:rm*"

    def test_critical_risk_never_runs(self):
        policies = engine(policy("  - {id: a, effect: allow}", rest=TOOLS))
        made = decide(policies, action("wipe"))
        assert (made.effect, made.reason_code, made.risk) == (Effect.DENY, ReasonCode.CRITICAL_RISK, Risk.CRITICAL)

    def test_a_final_deny_that_cannot_be_evaluated_defers_before_any_allow(self):
        policies = engine(
            policy("  - {id: a, effect: allow, priority: 1}\n  - {id: b, effect: deny, final: true, when: args.x > 1}")
        )
        assert outcome(policies, "t") == (Effect.DEFER, ReasonCode.MISSING_CONTEXT)
        assert outcome(policies, "t", {"x": 1}) == (Effect.ALLOW, ReasonCode.RULE)
        assert outcome(policies, "t", {"x": 2}) == (Effect.DENY, ReasonCode.FORBIDDEN_RULE)


class TestBarriers:
    def test_arguments_that_do_not_fit(self):
        made = decide(engine(policy("  - {id: a, effect: allow}", rest=TOOLS)), action("mail", {"to": 5}))
        assert (made.effect, made.reason_code) == (Effect.DENY, ReasonCode.PARAMETER_VIOLATION)
        assert "mail" in made.reason

    def test_many_violations_are_counted(self):
        rest = "tools:\n  t: {additional_parameters: false}"
        made = decide(
            engine(policy("  - {id: a, effect: allow}", rest=rest)), action("t", {f"p{i}": i for i in range(9)})
        )
        assert made.reason_code is ReasonCode.PARAMETER_VIOLATION

    def test_a_wrapped_call_that_cannot_be_read(self):
        made = decide(engine(policy("  - {id: a, effect: allow}")), action("t", meta_error="no inner name"))
        assert (made.effect, made.reason_code) == (Effect.DENY, ReasonCode.META_TOOL_UNRESOLVED)
        again = decide(engine(policy("  - {id: a, effect: allow}")), action("t"))
        assert again.effect is Effect.ALLOW

    def test_meta_error_denies_also_after_the_same_tool_was_allowed(self):
        policies = engine(policy("  - {id: a, effect: allow}"))
        assert decide(policies, action("t")).effect is Effect.ALLOW
        assert decide(policies, action("t", meta_error="x")).effect is Effect.DENY
        assert decide(policies, action("t")).effect is Effect.ALLOW

    def test_confidential_data_does_not_reach_a_sink(self):
        policies = engine(policy("  - {id: a, effect: allow}", rest=TOOLS))
        held = session(confidentiality=Confidentiality.CONFIDENTIAL)
        assert outcome(policies, "mail", {"to": "x"}, context=held) == (Effect.DENY, ReasonCode.FORBIDDEN_FLOW)

    def test_untrusted_values_do_not_reach_a_tool_that_takes_none(self):
        policies = engine(policy("  - {id: a, effect: allow}", rest=TOOLS))
        tainted = session(untrusted_seen=True, unreported=True)
        assert outcome(policies, "post", {"url": "http://evil.example"}, context=tainted) == (
            Effect.DENY,
            ReasonCode.FORBIDDEN_FLOW,
        )
        assert outcome(policies, "post", {"url": "http://evil.example"}) == (Effect.ALLOW, ReasonCode.RULE)

    def test_a_denied_parent_denies(self):
        policies = engine(policy("  - {id: a, effect: allow}"))
        assert outcome(policies, "t", denied_parent="p") == (Effect.DENY, ReasonCode.DEPENDENCY_DENIED)

    def test_depth_is_bounded(self):
        policies = engine(policy("  - {id: a, effect: allow}"))
        assert outcome(policies, "t", depth=9) == (Effect.DENY, ReasonCode.DEPENDENCY_DEPTH)
        assert outcome(policies, "t", depth=8, waiting_on=("p",)) == (Effect.DEFER, ReasonCode.DEPENDENCY_WAITING)

    def test_waiting_does_not_soften_a_deny(self):
        policies = engine(policy("  - {id: a, effect: deny}"))
        assert outcome(policies, "t", waiting_on=("p",)) == (Effect.DENY, ReasonCode.RULE)


class TestCompositions:
    FORBID = """
forbid:
  - {after: {tool: "read_*"}, then: {tool: "send_*"}, within: 60}
  - {id: secret, after: {confidentiality: confidential}, then: {tool: upload}, reason: no uploads now}
  - {after: {untrusted: true}, then: {tool: shell}}
"""

    @pytest.fixture
    def policies(self):
        return engine(policy("  - {id: a, effect: allow}", rest=self.FORBID))

    @pytest.mark.parametrize(("ago", "effect"), [(60, Effect.DENY), (61, Effect.ALLOW)])
    def test_within_seconds(self, policies, ago, effect):
        before = session(tool_last_at={"list": NOW, "read_file": NOW - ago})
        assert decide(policies, action("send_mail"), context=before).effect is effect

    def test_data_with_a_label(self, policies):
        held = session(confidentiality=Confidentiality.RESTRICTED)
        made = decide(policies, action("upload"), context=held)
        assert (made.reason_code, made.reason) == (ReasonCode.FORBIDDEN_COMPOSITION, "no uploads now")
        assert made.rule.id == "secret"
        assert decide(policies, action("upload")).effect is Effect.ALLOW

    def test_untrusted_output(self, policies):
        assert decide(policies, action("shell"), context=session(untrusted_seen=True)).effect is Effect.DENY
        assert decide(policies, action("shell")).effect is Effect.ALLOW


class TestRules:
    @pytest.mark.parametrize("effect", ["allow", "deny", "step_up", "defer"])
    def test_every_effect(self, effect):
        made = decide(engine(policy(f"  - {{id: a, effect: {effect}, reason: because}}")), action())
        assert (made.effect, made.reason_code, made.reason) == (Effect(effect), ReasonCode.RULE, "because")
        assert made.rule.policy == "main"

    def test_warn_allows_and_alerts(self):
        made = decide(engine(policy("  - {id: a, effect: warn}")), action())
        assert (made.effect, made.alerts) == (Effect.ALLOW, ("main/a",))

    def test_modify(self):
        rules = "  - id: a\n    effect: modify\n    modify:\n      - {cap: n, max: 5}\n"
        made = decide(engine(policy(rules)), action(args={"n": 9}))
        assert (made.effect, made.modified_args) == (Effect.MODIFY, {"n": 5})
        assert made.modifications == ("cap n (capped x1)",)

    def test_lower_priority_first_across_sets(self):
        first = policy("  - {id: a, effect: deny, priority: 20}", name="one")
        second = policy("  - {id: a, effect: allow, priority: 10}", name="two")
        made = decide(engine(first, second), action())
        assert (made.effect, made.rule.policy) == (Effect.ALLOW, "two")

    def test_a_missing_field_defers_only_when_reached_before_a_rule_that_applies(self):
        late = "  - {id: a, effect: deny, priority: 1}\n  - {id: b, effect: allow, priority: 2, when: args.x > 1}"
        assert decide(engine(policy(late)), action()).effect is Effect.DENY
        early = "  - {id: a, effect: allow, priority: 1, when: args.x.y > 1}\n  - {id: b, effect: deny, priority: 2}"
        made = decide(engine(policy(early)), action())
        assert (made.effect, made.reason_code, made.missing) == (
            Effect.DEFER,
            ReasonCode.MISSING_CONTEXT,
            ("args.x.y",),
        )
        assert made.read == ("args.x.y",)

    def test_a_value_of_the_wrong_kind_is_no_answer(self):
        made = decide(engine(policy("  - {id: a, effect: allow, when: args.x > 1}")), action(args={"x": "9"}))
        assert (made.effect, made.missing) == (Effect.DEFER, ("args.x",))

    def test_same_priority_and_disagreement_defers(self):
        policies = engine(policy("  - {id: a, effect: allow}\n  - {id: b, effect: deny}"))
        made = decide(policies, action())
        assert (made.effect, made.reason_code) == (Effect.DEFER, ReasonCode.RULE_CONFLICT)
        assert [ref.id for ref in made.matched] == ["a", "b"]
        approved = decide(policies, action(), satisfied=made.asks)
        assert (approved.effect, approved.reason_code) == (Effect.ALLOW, ReasonCode.APPROVED)

    @pytest.mark.parametrize(("sure", "unsure", "effect"), [
        ("deny", "allow", Effect.DENY),
        ("allow", "allow", Effect.ALLOW),
        ("allow", "deny", Effect.DEFER),
    ])  # fmt: skip
    def test_a_rule_of_the_same_priority_that_cannot_be_evaluated(self, sure, unsure, effect):
        rules = f"  - {{id: a, effect: {unsure}, when: args.x > 1}}\n  - {{id: b, effect: {sure}}}"
        assert decide(engine(policy(rules)), action()).effect is effect

    def test_modify_rules_of_one_priority_apply_together_unless_their_order_matters(self):
        both = """
  - {id: a, effect: modify, modify: [{cap: n, max: 5}]}
  - {id: b, effect: modify, modify: [{set: m, value: 1}]}
"""
        assert decide(engine(policy(both)), action(args={"n": 9, "m": 0})).modified_args == {"n": 5, "m": 1}
        against = both.replace("set: m, value: 1", "set: n, value: 7")
        assert decide(engine(policy(against)), action(args={"n": 9})).reason_code is ReasonCode.RULE_CONFLICT

    def test_conditions_see_session_identity_and_time(self):
        when = (
            "session.level >= 0 && session.calls == 0 && identity.user == 'u1' && 'DEVELOPER' in identity.roles && "
            "time.hour >= 0 && action.tool.startsWith('send') && session.intent == 'unknown' && time.unix > 1.0"
        )
        made = decide(engine(policy(f'  - {{id: a, effect: allow, when: "{when}"}}')), action())
        assert made.effect is Effect.ALLOW
        assert "identity.roles" in made.read

    def test_an_unset_field_of_the_control_plane_is_missing(self):
        policies = engine(policy("  - {id: a, effect: allow, when: \"session.original_request != ''\"}"))
        assert decide(policies, action()).missing == ("session.original_request",)
        assert decide(policies, action(), context=session(original_request="pay")).effect is Effect.ALLOW

    def test_session_and_agent_globs(self):
        policies = engine(policy('  - {id: a, effect: allow, match: {session: "s*", agent: "*-1"}}'))
        assert decide(policies, action()).effect is Effect.ALLOW
        assert decide(policies, action(session_id="x")).effect is Effect.DENY
        assert decide(policies, action(agent_id="agent-2")).effect is Effect.DENY


class TestConsent:
    ASK = "  - {id: ask, effect: step_up, approvers: {roles: [ADMIN]}, timeout: 2m, quorum: 2}"

    def test_the_question_names_who_and_how_long(self):
        made = decide(engine(policy(self.ASK)), action())
        assert made.asks == ("main/ask",)
        assert (made.approval.roles, made.approval.timeout, made.approval.quorum) == (("ADMIN",), 120.0, 2)
        assert made.approval.escalate_after == pytest.approx(72.0)

    def test_an_approval_makes_it_an_allow_at_its_place(self):
        made = decide(engine(policy(self.ASK)), action(), satisfied=("main/ask",))
        assert (made.effect, made.reason_code, made.asks) == (Effect.ALLOW, ReasonCode.APPROVED, ())

    def test_a_standing_grant_does_as_well(self):
        grant = GrantFact("g1", ("main/ask",), NOW + 1, 1)
        made = decide(engine(policy(self.ASK)), action(), grants=(grant,))
        assert (made.effect, made.reason_code, made.grant_id) == (Effect.ALLOW, ReasonCode.STANDING_GRANT, "g1")

    @pytest.mark.parametrize("grant", [
        GrantFact("g", ("main/ask",), NOW, 1),
        GrantFact("g", ("main/ask",), NOW + 1, 0),
        GrantFact("g", ("main/other",), NOW + 1, 1),
    ])  # fmt: skip
    def test_a_grant_that_is_over_or_for_something_else_does_not(self, grant):
        assert decide(engine(policy(self.ASK)), action(), grants=(grant,)).effect is Effect.STEP_UP

    def test_a_grant_never_answers_a_deferral_but_a_person_does(self):
        policies = engine(policy("  - {id: d, effect: defer}"))
        waiting = decide(policies, action())
        grant = GrantFact("g", ("main/d", *waiting.asks), NOW + 1, 1)
        assert decide(policies, action(), grants=(grant,)).effect is Effect.DEFER
        assert decide(policies, action(), satisfied=("main/d",)).effect is Effect.DEFER
        assert decide(policies, action(), satisfied=waiting.asks).effect is Effect.ALLOW

    def test_nothing_answers_a_deny(self):
        policies = engine(policy("  - {id: d, effect: deny}"))
        assert decide(policies, action(), satisfied=("main/d",)).effect is Effect.DENY

    def test_a_person_may_pass_over_a_rule_that_cannot_be_evaluated(self):
        rules = "  - {id: a, effect: deny, priority: 1, when: args.x > 1}\n  - {id: b, effect: allow, priority: 2}"
        policies = engine(policy(rules))
        waiting = decide(policies, action())
        assert waiting.asks == ("missing_context:main/a",)
        assert decide(policies, action(), satisfied=waiting.asks).effect is Effect.ALLOW

    def test_two_questions_of_one_priority(self):
        rules = self.ASK + "\n" + self.ASK.replace("id: ask", "id: ask2") + "\n  - {id: ask3, effect: step_up}"
        policies = engine(policy(rules))
        made = decide(policies, action())
        assert made.asks == ("main/ask", "main/ask2")
        again = decide(policies, action(), satisfied=made.asks)
        assert (again.effect, again.asks) == (Effect.STEP_UP, ("main/ask3",))

    def test_one_decision_uses_one_grant(self):
        policies = engine(policy(self.ASK + "\n" + self.ASK.replace("id: ask", "id: ask2")))
        grants = (GrantFact("g1", ("main/ask",), NOW + 1, 1), GrantFact("g2", ("main/ask2",), NOW + 1, 1))
        assert decide(policies, action(), grants=grants).asks == ("main/ask2",)


class TestDefaults:
    @pytest.mark.parametrize(("defaults", "effect"), [
        (["allow"], Effect.ALLOW), (["allow", "deny"], Effect.DENY), (["allow", "step_up"], Effect.STEP_UP),
        (["step_up", "defer"], Effect.DEFER), ([], Effect.DENY),
    ])  # fmt: skip
    def test_the_strictest_of_all_sets(self, defaults, effect):
        policies = engine(*(policy(default=one, name=f"p{i}") for i, one in enumerate(defaults)))
        made = decide(policies, action())
        assert (made.effect, made.reason_code) == (effect, ReasonCode.DEFAULT)
        if effect.waits:
            assert decide(policies, action(), satisfied=made.asks).effect is Effect.ALLOW

    def test_a_disabled_set_has_no_say(self):
        assert (
            decide(engine(policy(default="allow", name="a"), policy(name="b", rest="enabled: false")), action()).effect
            is Effect.ALLOW
        )

    def test_a_disabled_rule_has_no_say(self):
        assert decide(engine(policy("  - {id: a, effect: allow, enabled: false}")), action()).effect is Effect.DENY


def test_tools_are_found_by_the_most_specific_declaration():
    rest = 'tools:\n  "*": {risk: low}\n  "db.*": {risk: medium}\n  db.read: {risk: high}\n'
    other = "name: other\ntools:\n  - {name: db.read, risk: low, output: {confidentiality: PUBLIC, trusted: true}}"
    policies = engine(policy(rest=rest), other)
    assert [policies.tool(name).risk for name in ("x", "db.write", "db.read", "db.read")] == [
        "low",
        "medium",
        "high",
        "high",
    ]
    assert engine(other).tool("db.read").output == Label(Confidentiality.PUBLIC, True)
    assert engine(policy()).tool("x") is None


def test_hits_count_deciding_rules():
    policies = engine(policy("  - {id: a, effect: allow, match: {tool: t}}\n  - {id: b, effect: deny, priority: 101}"))
    for tool in ("t", "t", "u"):
        decide(policies, action(tool))
    assert policies.hits() == {"main/a": 2, "main/b": 1}


def test_the_memo_is_bounded(monkeypatch):
    monkeypatch.setattr("mutx.governance.policy.engine.MAX_MEMO", 4)
    policies = engine(policy(default="allow"))
    for number in range(20):
        assert decide(policies, action(f"t{number}")).effect is Effect.ALLOW
    assert len(policies._slates) <= 4
    assert len(policies._tools) <= 4


def test_an_answer_in_place_of_one_rule_passes_over_those_that_could_be_evaluated():
    """Rules without a condition, of other sessions, and whose condition is known are not what the person answered."""
    policies = engine(
        policy(
            "  - {id: other, effect: deny, match: {session: 'batch-*'}, priority: 1}\n"
            "  - {id: known, effect: deny, when: args.y == 1, priority: 2}\n"
            "  - {id: unknown, effect: deny, when: args.x == 1, priority: 3}"
        )
    )
    asked = decide(policies, action("t", {"y": 2}))
    assert asked.reason_code is ReasonCode.MISSING_CONTEXT
    answered = decide(policies, action("t", {"y": 2}), satisfied=asked.asks, verdict="approve")
    assert (answered.effect, answered.rule.id) == (Effect.ALLOW, "unknown")
