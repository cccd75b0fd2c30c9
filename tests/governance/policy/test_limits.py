"""Rate limits and budgets: counters in, charges out, all of it computable again."""

import pytest

from mutx.governance.types import Effect, ReasonCode
from tests.governance.policy.support import NOW, action, decide, engine, policy

WINDOW = int(NOW // 60)
RATE = engine(policy("  - {id: r, effect: allow, rate: {per_minute: 3, per_session: 5}}"))
NOW_KEY = f"rate:main/r:agent-1:{WINDOW}"
BEFORE_KEY = f"rate:main/r:agent-1:{WINDOW - 1}"
SESSION_KEY = "rate:main/r:agent-1:session:s1"


def budget(**fields):
    text = ", ".join(f"{name}: {value}" for name, value in fields.items())
    return engine(policy(f"  - {{id: r, effect: allow, budget: {{{text}}}}}"))


class TestRates:
    def test_a_call_is_charged(self):
        made = decide(RATE, action())
        assert made.effect is Effect.ALLOW
        assert [(one.key, one.amount, one.limit) for one in made.charges] == [(NOW_KEY, 1, 3), (SESSION_KEY, 1, 5)]
        assert [one.key for one in made.readings] == [NOW_KEY, BEFORE_KEY, SESSION_KEY]
        assert made.charges[0].window_end == (WINDOW + 2) * 60
        assert made.charges[1].window_end == 0

    @pytest.mark.parametrize("counters", [{NOW_KEY: 3}, {BEFORE_KEY: 3}, {NOW_KEY: 1, BEFORE_KEY: 2}, {SESSION_KEY: 5}])
    def test_reached(self, counters):
        made = decide(RATE, action(), counters=counters)
        assert (made.effect, made.reason_code, made.charges) == (Effect.DENY, ReasonCode.RATE_LIMITED, ())

    def test_the_minute_slides(self):
        full = {BEFORE_KEY: 3}
        assert decide(RATE, action(), counters=full, now=NOW + 1).effect is Effect.DENY
        later = decide(RATE, action(), counters=full, now=NOW + 20.5)
        assert (later.effect, later.charges[0].limit) == (Effect.ALLOW, 1)

    def test_names_cannot_pretend_to_be_keys(self):
        made = decide(RATE, action(agent_id="a:session:b%"))
        assert made.charges[0].key == f"rate:main/r:a%3Asession%3Ab%25:{WINDOW}"

    def test_a_question_costs_nothing_until_it_is_answered(self):
        asking = engine(policy("  - {id: r, effect: step_up, rate: {per_session: 1}}"))
        waiting = decide(asking, action())
        assert (waiting.effect, waiting.charges, len(waiting.readings)) == (Effect.STEP_UP, (), 1)
        released = decide(asking, action(), satisfied=("main/r",))
        assert (released.effect, len(released.charges)) == (Effect.ALLOW, 1)
        assert decide(asking, action(), counters={SESSION_KEY: 1}).reason_code is ReasonCode.RATE_LIMITED

    def test_readings_lead_to_the_same_decision(self):
        made = decide(RATE, action(), counters={NOW_KEY: 2, BEFORE_KEY: 9, SESSION_KEY: 1})
        again = decide(RATE, action(), counters={one.key: one.value for one in made.readings})
        assert again == made


class TestBudgets:
    def test_sums_are_exact(self):
        policies = budget(amount="amount", max=0.3)
        made = decide(policies, action(args={"amount": 0.1}), counters={"budget:main/r:agent-1:session:s1": 200_000})
        assert (made.effect, made.charges[0].amount, made.charges[0].limit) == (Effect.ALLOW, 100_000, 300_000)

    def test_beyond_is_denied(self):
        made = decide(budget(amount="amount", max=10), action(args={"amount": 11}))
        assert (made.effect, made.reason_code) == (Effect.DENY, ReasonCode.BUDGET_EXCEEDED)

    @pytest.mark.parametrize(
        ("per", "window", "end"),
        [("hour", NOW // 3600, NOW // 3600 * 3600 + 3600), ("day", NOW // 86400, NOW // 86400 * 86400 + 86400)],
    )
    def test_periods(self, per, window, end):
        charge = decide(budget(amount="amount", max=10, per=per), action(args={"amount": 1})).charges[0]
        assert (charge.key, charge.window_end) == (f"budget:main/r:agent-1:{per}:{int(window)}", end)

    def test_an_expression_counts(self):
        made = decide(budget(amount="args.n * args.price", max=100), action(args={"n": 3, "price": 7}))
        assert made.charges[0].amount == 21_000_000

    @pytest.mark.parametrize("amount", [-1, "5", None, True, float("nan"), float("inf")])
    def test_what_is_no_amount_waits(self, amount):
        policies = budget(amount="amount", max=100)
        made = decide(policies, action(args={"amount": amount}))
        assert (made.effect, made.reason_code, made.missing) == (
            Effect.DEFER,
            ReasonCode.MISSING_CONTEXT,
            ("args.amount",),
        )
        released = decide(policies, action(args={"amount": amount}), satisfied=made.asks)
        assert (released.effect, released.charges[0].amount) == (Effect.ALLOW, 0)

    def test_a_person_may_go_beyond_where_the_policy_asks(self):
        policies = budget(amount="amount", max=10, on_exceed="step_up")
        made = decide(policies, action(args={"amount": 11}))
        assert (made.effect, made.reason_code, made.asks) == (
            Effect.STEP_UP, ReasonCode.BUDGET_EXCEEDED, ("budget_exceeded:main/r",),
        )  # fmt: skip
        released = decide(policies, action(args={"amount": 11}), satisfied=made.asks)
        assert (released.effect, released.reason_code) == (Effect.ALLOW, ReasonCode.APPROVED)
        assert released.charges[0].limit == released.charges[0].amount == 11_000_000
