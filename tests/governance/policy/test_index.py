"""The index changes the cost of a decision, never the decision."""

import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutx.governance.policy.argument_table import ArgumentTable, argument_tables
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.conditions import Condition
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.model import PolicyDocument, PolicyRule, RuleEffect, RuleMatch
from mutx.governance.policy.names import NameTable
from mutx.governance.policy.postings import ranks_of
from mutx.governance.types import Effect
from mutx.kit.errors import PolicyInvalid
from tests.governance.policy.naive import naive
from tests.governance.policy.support import action, decide

TOOLS = ["*", "mail.send", "mail.*", "*.send", "*ail*", "m*l.s*d", "db.read", "db.*", "*", "x"]
AGENTS = ["*", "*", "agent-1", "agent-*", "*-2"]
SESSIONS = ["*", "*", "*", "s1", "s*", "*9*", "a*b*c"]
CONDITIONS = [
    None, None, "args.n > 5", "args.n <= 5 && args.n >= 2", "args.n == 3", "args.k == 'a'", "args.k in ['a', 'b']",
    "args.n > 2 || args.k == 'b'", "args.m.d < 1.5", "has(args.k) && args.k != 'c'", "args.flag", "!args.flag",
    "args.n == 3 && args.k.startsWith('a')", "args.k.size() > 1", "args.flag == true", "args.n > args.o",
]  # fmt: skip
EFFECTS = [RuleEffect.ALLOW, RuleEffect.DENY, RuleEffect.WARN, RuleEffect.STEP_UP, RuleEffect.DEFER]


def rule(number: int, rng: random.Random, *, finals: bool = True) -> PolicyRule:
    when = rng.choice(CONDITIONS)
    final = finals and rng.random() < 0.05
    return PolicyRule(
        id=f"r{number}",
        effect=RuleEffect.DENY if final else rng.choice(EFFECTS),
        final=final,
        priority=rng.randrange(1, 6 if rng.random() < 0.3 else 1000),
        match=RuleMatch(tool=rng.choice(TOOLS), agent=rng.choice(AGENTS), session=rng.choice(SESSIONS)),
        when=None if when is None else Condition(when),
        enabled=rng.random() > 0.05,
    )


def documents(rng: random.Random, count: int) -> list[PolicyDocument]:
    return [
        PolicyDocument(
            name=name,
            default=rng.choice([Effect.ALLOW, Effect.DENY, None]),
            rules=tuple(rule(number, rng, finals=count < 50) for number in range(count)),
            digest=name,
        )
        for name in ("one", "two")
    ]


def call(rng: random.Random):
    values = {
        "n": [1, 2, 3, 4.5, 5, 6, True, "3", None, float("nan"), 10**30],
        "k": ["a", "b", "c", "abc", 1, ["a"]],
        "m": [{"d": 1}, {"d": 2}, {}, 3],
        "flag": [True, False, 1],
        "o": [1, 4],
    }
    args = {name: rng.choice(choices) for name, choices in values.items() if rng.random() < 0.85}
    return action(
        rng.choice(["mail.send", "db.read", "db.write", "x", "other"]),
        args,
        agent_id=rng.choice(["agent-1", "agent-2", "someone"]),
        session_id=rng.choice(["s1", "s9", "aXbYc", "zz"]),
    )


@pytest.mark.parametrize("count", [0, 3, 12, 60, 250])
def test_agrees_with_the_naive_evaluator(count):
    rng = random.Random(count)
    for _ in range(8):
        policies = documents(rng, count)
        engine = PolicyEngine(compile_policies(policies))
        for _ in range(120):
            one = call(rng)
            made = decide(engine, one)
            applied = tuple(sorted(f"{ref.policy}/{ref.id}" for ref in made.matched))
            assert (made.effect, made.reason_code, applied) == naive(policies, one), one


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_the_order_of_loading_makes_no_difference(seed, shuffler):
    """200 policies x 50 calls, each with its rules shuffled: 10 000 decisions."""
    rng = random.Random(seed)
    policies = documents(rng, 14)
    shuffled = []
    for one in policies:
        rules = list(one.rules)
        shuffler.shuffle(rules)
        shuffled.append(PolicyDocument(name=one.name, default=one.default, rules=tuple(rules), digest=one.digest))
    shuffler.shuffle(shuffled)
    first, second = PolicyEngine(compile_policies(policies)), PolicyEngine(compile_policies(shuffled))
    assert first.version == second.version
    for _ in range(50):
        one = call(rng)
        assert decide(first, one) == decide(second, one)


def test_deciding_twice_gives_the_same():
    rng = random.Random(5)
    engine = PolicyEngine(compile_policies(documents(rng, 40)))
    for _ in range(500):
        one = call(rng)
        assert decide(engine, one) == decide(engine, one)


class TestNames:
    def test_long_names_are_looked_through_for_infixes(self):
        table = NameTable(["*needle*", "*absent*", "*"])
        assert list(ranks_of(table.match("x" * 300 + "needle"))) == [0, 2]
        assert list(ranks_of(table.match("needl"))) == [2]

    def test_many_rules_of_one_glob_share_one_set(self):
        table = NameTable(["a*"] * 200 + ["b"] * 2)
        assert table.match("ab").bit_count() == 200
        assert list(ranks_of(table.match("b"))) == [200, 201]
        assert NameTable([]).match("x") == 0


class TestArguments:
    @staticmethod
    def table(*sources: str, tables: int = 1) -> ArgumentTable:
        comparisons = {rank: Condition(source).guards for rank, source in enumerate(sources)}
        return ArgumentTable(("n",), comparisons, len(sources) + 1, tables)

    def test_rules_out_only_what_cannot_hold(self):
        table = self.table("args.n > 1", "args.n >= 2 && args.n < 4", "args.n == 2", "args.n > 5 && args.n < 5")
        live = {value: list(ranks_of(table.live({"n": value}))) for value in (1, 2, 4, 9)}
        assert live == {1: [4], 2: [0, 1, 2, 4], 4: [0, 4], 9: [0, 4]}
        assert table.live({}) is None
        assert list(ranks_of(table.live({"n": float("nan")}))) == [0, 1, 3, 4]
        assert list(ranks_of(table.live({"n": "2"}))) == [0, 1, 3, 4]
        assert list(ranks_of(table.live({"n": [2]}))) == [0, 1, 3, 4]

    def test_kinds_are_not_mixed_up(self):
        table = self.table("args.n == 1", "args.n == true", "args.n == '1'")
        assert [list(ranks_of(table.live({"n": value}))) for value in (1, True, "1")] == [[0, 3], [1, 3], [2, 3]]

    def test_coarser_intervals_hold_too_many_rules_never_too_few(self, monkeypatch):
        sources = [f"args.n > {bound} && args.n < {bound + 2}" for bound in range(100)]
        exact = self.table(*sources)
        monkeypatch.setattr("mutx.governance.policy.argument_table.TABLE_BYTES", 200)
        coarse = self.table(*sources)
        for value in range(103):
            fine = exact.live({"n": value})
            assert coarse.live({"n": value}) & fine == fine

    def test_tables_are_made_for_what_many_rules_compare(self):
        guards = [(rank, Condition(f"args.a > {rank} && session.level > 1").guards) for rank in range(8)]
        assert [table.path for table in argument_tables(guards, 8)] == [("a",)]
        assert argument_tables(guards[:7], 8) == ()


def test_too_many_rules_are_refused(monkeypatch):
    monkeypatch.setattr("mutx.governance.policy.compile.MAX_RULES", 10)
    rng = random.Random(1)
    with pytest.raises(PolicyInvalid, match="more than the 10"):
        compile_policies(documents(rng, 6))


def test_two_policies_of_one_name_are_refused():
    with pytest.raises(PolicyInvalid, match="called a"):
        compile_policies([PolicyDocument(name="a"), PolicyDocument(name="a")])


def test_building_in_a_thread_leaves_others_running():
    rng = random.Random(2)
    policies = documents(rng, 2000)
    made = []
    builder = threading.Thread(target=lambda: made.append(compile_policies(policies)))
    builder.start()
    builder.join()
    assert len(made[0].entries) > 3000
