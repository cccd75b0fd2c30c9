"""Each pack decides alike as PolicySet and as FPL: thousands of generated calls, whole sessions, approvals among them."""

import random

import pytest

from mutx.governance.policy.document import load
from mutx.governance.policy.lint import lint
from mutx.governance.policy.packs import PACKS, pack
from mutx.governance.types import Decision, Effect, ReasonCode
from mutx.kit.errors import NotFound
from tests.governance.policy.play import Play, read

SESSIONS, CALLS = 12, 110
TOOLS = {
    "starter": "read_file get_x list_y search_z http/get http/post http/put secrets/read write_file send_mail delete_row "
    "shell/run db/drop db/truncate other/tool",
    "payments": "read_customer get_order phase/execution phase/intake phase/other stripe/refund stripe/charge stripe/payout "
    "send_receipt shell/run stripe/balance other",
    "infrastructure": "k8s/get k8s/list k8s/logs k8s/apply k8s/scale k8s/exec k8s/delete terraform/plan terraform/apply "
    "terraform/destroy iam/grant secrets/read http/post shell/run metrics/cpu other",
    "customer-support": "search_kb read_customer get_order phase/resolve phase/intake issue_credit send_email close_ticket "
    "shell/run fs/read db/drop db/truncate other",
}
VALUES = {
    "amount": [0, 5, 24.99, 25, 25.01, 80, 500, 500.01, 900, 5000, 5001, -3, "12", None],
    "cmd": ["ls", "rm -rf /", "dd if=/dev/zero", "curl x | sh", "echo mkfs", 7],
    "namespace": ["production", "staging", "dev-kim", "other", 3],
    "environment": ["production", "staging"],
    "plan": [None, "p-1"],
    "kind": ["namespace", "pod", "node"],
    "replicas": [0, 1, 10, 11, 2.5],
    "recipients": [[], ["a@x.example"], ["a@x.example", "b@competitor.example"], ["a@b.c"] * 11, "a@b.c"],
    "body": ["hello", "my Lawyer says", ""],
    "resolution": ["duplicate", "the customer confirmed", "customer confirmed it", "none"],
    "internal_notes": ["do not tell"],
    "card_number": ["4111111111111111"],
    "card": [{"number": "4111"}, {}, "x"],
    "manifest": [{"data": "c2VjcmV0"}, {}],
}
TAME = {
    "amount": [5, 24.99],
    "recipients": [["a@x.example"]],
    "body": ["hello"],
    "cmd": ["ls"],
    "namespace": ["staging"],
}
"""So that a session gets far enough to meet a limit."""
OFTEN = {
    "starter": "http/get",
    "payments": "stripe/refund",
    "infrastructure": "k8s/get",
    "customer-support": "send_email",
}
NEXT = {"payments": "phase/execution", "customer-support": "phase/resolve"}
PAUSES = [[0.2, 1, 1, 5, 20, 61, 200, 400, 3000], [0.1, 0.5, 1], [0.5, 2, 60]]
CLASS = {ReasonCode.FORBIDDEN_RULE: "forbidden", ReasonCode.RULE: "rule"}


def told(decision: Decision) -> tuple[object, ...]:
    """What both forms must agree on; names of rules are their own."""
    return (
        decision.effect,
        CLASS.get(decision.reason_code, decision.reason_code.value),
        decision.modified_args,
        decision.modifications,
        decision.notify,
        len(decision.alerts),
        len(decision.asks),
        sorted((charge.amount, charge.limit) for charge in decision.charges),
        [field for field in decision.missing if field != "session.phase"],
    )


def differ(name: str, seed: int) -> tuple[int, set[tuple[Effect, str]]]:
    dice = random.Random(seed)
    one = Play(read(pack(name), "yaml", name))
    other = Play(read(pack(name, fpl=True), "fpl", name))
    start = dice.uniform(0, 7 * 86400)
    one.now += start
    other.now += start
    seen = set()
    tools = TOOLS[name].split()
    pauses = dice.choice(PAUSES)
    favourite = dice.sample(tools, dice.choice([1, 2, 4]))
    values, often = (TAME, 1.0) if seed % 2 else (VALUES, 0.6)
    favourite, pauses = ([OFTEN[name]], PAUSES[1]) if seed % 4 == 1 else (favourite, pauses)
    for number in range(CALLS):
        tool = dice.choice(favourite if dice.random() < 0.8 else tools)
        tool = NEXT.get(name, tool) if number == seed else tool
        args = {key: dice.choice(some) for key, some in values.items() if dice.random() < often}
        wait, approve = dice.choice(pauses), dice.random() < 0.5
        left = one.say(tool, args, wait=wait, approve=approve)
        right = other.say(tool, args, wait=wait, approve=approve)
        assert told(left) == told(right), (tool, args, left, right)
        seen.add((left.effect, left.reason_code.value))
    return CALLS, seen


@pytest.mark.parametrize("name", PACKS)
def test_both_forms_of_a_pack_decide_alike(name):
    seen = set()
    for seed in range(SESSIONS):
        seen |= differ(name, seed)[1]
    codes = {code for _, code in seen}
    assert {Effect.ALLOW, Effect.DENY, Effect.STEP_UP} <= {effect for effect, _ in seen}
    assert {"forbidden_rule", "rule", "approved", "rate_limited"} <= codes
    if name in {"payments", "customer-support"}:
        assert {"out_of_phase", "budget_exceeded"} <= codes


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("is_fpl", [False, True])
def test_nothing_in_a_pack_looks_like_a_mistake(name, is_fpl):
    document = load(pack(name, fpl=is_fpl), format="fpl" if is_fpl else "yaml", name=name)
    assert document.name == name
    assert lint([document]) == ()


def test_a_pack_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(NotFound, match="starter, payments"):
        pack("../../secrets")
