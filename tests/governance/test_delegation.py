"""Chains of delegations as values: parts of parts, what they reach, and their tokens."""

from base64 import urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutx.governance.delegation_scope import excess, number_at, out_of_scope, spent_at
from mutx.governance.delegation_tokens import DELEGATION_TYPE, MAX_TOKEN, open_delegation, seal_delegation
from mutx.governance.dsse import EnvelopeWriter
from mutx.governance.hops import DelegationBudget, DelegationGrant, DelegationHop
from mutx.governance.judge import judge
from mutx.governance.keys import KeyRing
from mutx.governance.policy.compile import compile_policies
from mutx.governance.policy.document import load
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.types import Decision, Effect, GrantFact, ReasonCode
from mutx.kit.errors import VerificationFailed
from mutx.services.signing import EphemeralSigner
from tests.governance.policy.support import ACCUMULATOR, FACTS, NOW, action, session

AT = "2027-01-15T08:00:00.000000Z"


def hop(giver: str = "a", taker: str = "b", *tools: str, **more: object) -> DelegationHop:
    grants = tuple(DelegationGrant(tool=tool) for tool in tools or ("pay",))
    fields = {"id": f"{giver}-{taker}", "grants": grants, "expires_at": NOW + 60, **more}
    return DelegationHop(delegator=giver, delegate=taker, **fields)


def test_a_part_of_a_part_is_a_part():
    parent = hop("a", "b", "read_*", "pay", depth=2)
    assert excess(hop("b", "c", "read_stock", depth=1), parent) == []
    assert excess(hop("b", "c", "pay*", depth=1), parent) == ["pay* is not within its own scope"]
    assert len(excess(hop("x", "c", "mail", depth=5, expires_at=NOW + 61), parent)) == 4


@given(st.text("ab*", min_size=1, max_size=4), st.text("ab*", min_size=1, max_size=4), st.text("ab", max_size=5))
def test_what_a_part_reaches_the_whole_reaches(inner, outer, tool):
    parent, child = hop("a", "b", outer, depth=1), hop("b", "c", inner)
    if not excess(child, parent) and not out_of_scope((child,), "c", tool, {}, NOW):
        assert not out_of_scope((parent,), "b", tool, {}, NOW)


def test_a_part_may_not_take_more_calls_or_more_of_the_same_budget():
    def bounded(giver: str, taker: str, argument: str, most: float, calls: int, depth: int) -> DelegationHop:
        budget = DelegationBudget(argument=argument, max=most)
        return hop(giver, taker, calls=calls, budget=budget, depth=depth)

    parent = bounded("a", "b", "amount", 10, 5, 1)
    assert excess(bounded("b", "c", "amount", 10, 5, 0), parent) == []
    assert excess(bounded("b", "c", "amount", 12.5, 6, 0), parent) == [
        "6 calls are more than its own 5",
        "a budget of 12.5 is more than its own 10",
    ]
    assert excess(bounded("b", "c", "weight", 99, 5, 0), parent) == []  # the parent's own is charged besides


def test_a_chain_is_looked_at_hop_by_hop():
    first, second = hop("a", "b", "pay*", depth=1), hop("b", "c", "pay")
    assert out_of_scope((first, second), "c", "pay", {}, NOW) == ""
    assert "is c's, and b acts" in out_of_scope((first, second), "b", "pay", {}, NOW)
    assert "is no part of the one before" in out_of_scope((hop("a", "b", depth=0), second), "c", "pay", {}, NOW)
    assert "is no part of the one before" in out_of_scope((hop("a", "x", depth=1), second), "c", "pay", {}, NOW)
    assert "has expired" in out_of_scope((first, second), "c", "pay", {}, NOW + 60)
    assert "may not be handed on" in out_of_scope((first, second), "c", "delegate/d", {}, NOW)
    assert out_of_scope((first,), "b", "delegate/d", {}, NOW) == ""


def test_ceilings_need_the_argument_to_be_a_number_within():
    bound = hop(
        grants=(DelegationGrant(tool="pay", ceilings={"card.amount": 5}), DelegationGrant(tool="p*", ceilings={"x": 1}))
    )
    for args, reached in (
        ({"card": {"amount": 5}}, True), ({"x": 0.5}, True), ({"card": {"amount": 5.1}}, False), ({"card": 3}, False),
        ({"card": {"amount": True}}, False), ({"card": {"amount": float("nan")}}, False), ({}, False),
    ):  # fmt: skip
        assert (out_of_scope((bound,), "b", "pay", args, NOW) == "") is reached


def test_numbers_at_paths():
    assert number_at({"a": {"b": 3}}, "a.b") == 3
    assert number_at({"a": "3"}, "a") is None
    assert (spent_at({}, "a"), spent_at({"a": 3}, "a.b"), spent_at({"a": 2.5}, "a")) == (0.0, 0.0, 2.5)
    assert (spent_at({"a": -1}, "a"), spent_at({"a": "x"}, "a")) == (None, None)


# -- decisions --------------------------------------------------------------------------------------------------------

POLICY = """
name: p
rules:
  - {id: a-pays, match: {tool: pay, agent: a}, when: args.amount <= 10, effect: allow, rate: {per_session: 5}}
  - {id: a-asks, match: {tool: pay, agent: a}, when: args.amount > 10, effect: step_up}
  - {id: b-pays, match: {tool: pay, agent: b}, when: args.amount <= 20, effect: allow}
  - {id: both-ask, match: {tool: mail}, effect: step_up}
  - {id: a-masks, match: {tool: post, agent: a}, effect: modify, modify: [{set: x, value: 1}]}
  - {id: b-posts, match: {tool: post, agent: b}, effect: allow}
  - {id: a-sets, match: {tool: put, agent: a}, effect: modify, modify: [{set: x, value: 1}]}
  - {id: b-sets, match: {tool: put, agent: b}, effect: modify, modify: [{set: x, value: 2}]}
  - {id: b-only, match: {tool: read, agent: b}, effect: allow}
  - {id: nobody, match: {tool: drop, agent: a}, effect: allow}
"""
ENGINE = PolicyEngine(compile_policies([load(POLICY)]))


def decide(
    tool: str, args: dict[str, object] | None = None, *, spent: dict[str, int] | None = None, **more: object
) -> Decision:
    chain = more.pop("chain", (hop("a", "b", "*", calls=2, budget=DelegationBudget(argument="amount", max=12)),))
    call = action(tool, args, agent_id="b")
    facts = msgspec.structs.replace(FACTS, delegation=chain, **more)
    observation = ACCUMULATOR.observe(session(), call, None)
    return judge(ENGINE, observation, facts, lambda key: (spent or {}).get(key, 0))


def test_the_strictest_of_all_hops_counts():
    assert decide("pay", {"amount": 5}).effect is Effect.ALLOW
    asked = decide("pay", {"amount": 15})
    assert (asked.effect, asked.asks) == (Effect.STEP_UP, ("p/a-asks",))
    assert decide("pay", {"amount": 25}).rule is None  # b itself may not: the default
    denied = decide("read")
    assert (denied.effect, denied.reason_code) == (Effect.DENY, ReasonCode.DELEGATION_SCOPE)
    assert decide("drop").reason_code is ReasonCode.DEFAULT


def test_one_approval_answers_both_and_a_standing_grant_answers_only_for_the_one_who_acts():
    assert decide("mail").asks == ("p/both-ask",)
    assert decide("mail", satisfied=("p/both-ask",)).effect is Effect.ALLOW
    grant = GrantFact("g", ("p/both-ask",), NOW + 60, 3)
    assert decide("mail", grants=(grant,)).effect is Effect.STEP_UP


def test_what_a_delegating_agent_may_do_only_changed_is_done_changed():
    changed = decide("post", {"x": 0})
    assert (changed.effect, changed.modified_args) == (Effect.MODIFY, {"x": 1})
    split = decide("put", {"x": 0})
    assert (split.effect, split.reason_code) == (Effect.DENY, ReasonCode.DELEGATION_SCOPE)


def test_calls_and_money_are_charged_to_each_hop():
    allowed = decide("pay", {"amount": 5})
    assert {charge.key: charge.amount for charge in allowed.charges} == {
        "rate:p/a-pays:a:session:s1": 1, "delegation:a-b:calls": 1, "delegation:a-b:budget": 5_000_000
    }  # fmt: skip
    assert decide("pay", {"amount": 5}, spent={"delegation:a-b:calls": 2}).reason_code is ReasonCode.DELEGATION_SPENT
    assert (
        decide("pay", {"amount": 5}, spent={"delegation:a-b:budget": 8_000_000}).reason_code
        is ReasonCode.DELEGATION_SPENT
    )
    assert decide("pay", {"amount": -5}).reason_code is ReasonCode.DELEGATION_SCOPE


def test_a_chain_without_limits_charges_nothing():
    assert decide("post", {"x": 0}, chain=(hop("a", "b", "*"),)).charges == ()


def test_a_delegation_that_does_not_hold_denies():
    assert decide("pay", undelegated="it was revoked").reason_code is ReasonCode.DELEGATION_INVALID
    assert decide("pay", chain=(hop("a", "c", "*"),)).reason_code is ReasonCode.DELEGATION_SCOPE


# -- tokens -----------------------------------------------------------------------------------------------------------

SIGNER = EphemeralSigner()
KEYS = KeyRing((SIGNER.public_key,))


def test_a_token_holds_its_chain_and_is_always_the_same():
    chain = (hop(depth=1, calls=3, budget=DelegationBudget(argument="x", max=1)), hop("b", "c"))
    token = seal_delegation("w", chain, AT, SIGNER)
    assert open_delegation(token, "w", KEYS) == chain
    assert seal_delegation("w", chain, AT, SIGNER) == token


def _sealed(payload: bytes) -> str:
    envelope = EnvelopeWriter(DELEGATION_TYPE, SIGNER.key_id, SIGNER.sign).write(payload)
    return "mutxd1." + urlsafe_b64encode(envelope).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("mutx1.abc", "no delegation"),
        ("mutxd1." + "a" * MAX_TOKEN, "no delegation"),
        ("mutxd1.a", "damaged"),
        ("mutxd1.ä", "damaged"),
        ("mutxd1.e30", "not a DSSE envelope"),
        (_sealed(b"{}"), "cannot be read"),
        (_sealed(b'{"at":"%s","hops":[],"v":1,"workspace":"w"}' % AT.encode()), "not of format 1"),
        (_sealed(b'{"at":"%s","hops":[],"v":2,"workspace":"w"}' % AT.encode()), "not of format 1"),
        (seal_delegation("other", (hop(),), AT, SIGNER), "not one of this workspace"),
        (seal_delegation("w", (hop(),), AT, EphemeralSigner()), "key"),
    ],
)
def test_what_was_not_signed_here_for_this_workspace_is_refused(token, message):
    with pytest.raises(VerificationFailed, match=message):
        open_delegation(token, "w", KEYS)
