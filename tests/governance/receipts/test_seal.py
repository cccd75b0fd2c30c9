"""What a receipt says, and what it must never say."""

import hashlib
import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mutx.governance.dsse import parse
from mutx.governance.receipt_body import decode_body
from mutx.governance.receipts import ReceiptChain, genesis, open_receipt, view
from mutx.governance.turn import Sealed, TurnKind
from mutx.governance.types import ReasonCode
from mutx.governance.verify import verify_receipt
from mutx.kit.errors import InputError
from tests.governance.receipts.story import SECRET, Story, action, decision, permit


def test_a_decision_receipt_holds_all_that_r5_names():
    receipt, _ = Story().seal(permit=permit({}))
    body = open_receipt(receipt.envelope)
    commitments = {name: body["action"].pop(name) for name in ("hash", "args")}
    assert all(len(bytes.fromhex(each)) == 32 for each in commitments.values())
    assert len(bytes.fromhex(body["permit"].pop("args_hash"))) == 32
    assert body == {
        "v": 1,
        "kind": "decision",
        "id": "r-s-1-1",
        "workspace": "w-1",
        "session": "s-1",
        "seq": 1,
        "prev": genesis("w-1", "s-1"),
        "context": "c" * 64,
        "at": "2027-01-15T08:00:01.500000Z",
        "door": "http",
        "action": {
            "id": "a-s-1-1",
            "tool": "send_mail",
            "operation": "call",
            "trigger": "manual",
            "runtime": "mutx",
            "timestamp": "2027-01-15T08:00:01.250000Z",
            "called_as": "mcp_tool",
            "parent": "a-0",
            "depends_on": ["a-0"],
        },
        "identity": {
            "user": "user-1",
            "agent": "agent-1",
            "principal": "key-1",
            "principal_kind": "agent",
            "method": "agent_key",
            "claimed_user": "mallory",
            "service": "payments",
            "roles": ["DEVELOPER"],
            "scopes": ["mail:send"],
        },
        "decision": {
            "effect": "allow",
            "reason_code": "rule",
            "reason": "as rule base/mail says",
            "policy_version": "e" * 64,
            "risk": "low",
            "category": "context_dependent_allow",
            "intent": "unknown",
            "rule": {
                "id": "mail",
                "name": "Mail goes out redacted",
                "policy": "base",
                "effect": "allow",
                "priority": 10,
            },
            "matched": ["base/mail"],
            "alerts": ["base/watch"],
        },
        "permit": {"id": "p-1", "expires_at": "2027-01-15T08:01:00.000000Z", "audience": "agent-1"},
    }


def test_an_approval_and_a_deferral_name_who_how_and_when():
    story = Story().every_kind()
    asked, resolved, deferred, answered = (open_receipt(story.envelopes[index]) for index in (2, 3, 5, 6))
    assert asked["approval"]["status"] == "PENDING"
    assert "votes" not in asked["approval"]
    assert "deferral" not in asked
    [vote] = resolved["approval"]["votes"]
    assert (vote["by"], vote["verdict"], vote["own_request"]) == ("user-2", "approve", True)
    assert resolved["about"] == asked["id"]
    assert resolved["approval"]["quorum"] == 2
    assert resolved["decision"]["grant"] == "g-1"
    assert deferred["deferral"] == {"reason": "the recipient is known from untrusted output only"}
    assert answered["deferral"]["method"] == "context"
    assert answered["deferral"]["resolved_at"] == answered["approval"]["votes"][0]["at"]


def test_no_value_stands_in_any_receipt():
    for envelope in Story().every_kind().envelopes:
        assert SECRET not in parse(envelope).payload.decode()


def test_equal_values_leave_unequal_commitments():
    story = Story()
    first, second = (open_receipt(story.seal(permit=permit({}))[0].envelope) for _ in range(2))
    assert first["action"]["args"] != second["action"]["args"]
    assert first["action"]["hash"] != second["action"]["hash"]
    assert first["permit"]["args_hash"] != second["permit"]["args_hash"]


def test_receipts_are_canonical_and_linked_by_the_whole_envelope():
    story = Story().every_kind()
    chain = ReceiptChain("w-1", "s-1")
    for receipt in story.receipts:
        assert rfc8785.dumps(json.loads(receipt.envelope)) == receipt.envelope
        payload = parse(receipt.envelope).payload
        assert rfc8785.dumps(json.loads(payload)) == payload
        body = verify_receipt(receipt.envelope, story.ring)
        assert body.prev == chain.head
        chain.link(body, receipt.envelope)
        assert receipt.hash == hashlib.sha256(receipt.envelope).hexdigest() == chain.head
    assert chain.count == 7


def test_a_receipt_does_not_grow_with_the_session():
    story = Story()
    sizes = {len(story.seal(id="r", action=action(story, id="a"))[0].envelope) for _ in range(9)}
    assert len(sizes) == 1


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_any_text_is_sealed_in_canonical_form(text):
    story = Story(session=text)
    receipt, _ = story.seal(decision=decision("deny", ReasonCode.DEFAULT, missing=(text,)))
    payload = parse(receipt.envelope).payload
    assert rfc8785.dumps(json.loads(payload)) == payload
    assert verify_receipt(receipt.envelope, story.ring).session == text


@pytest.mark.parametrize("broken", [{"n": float("nan")}, {"n": 2**60}, {"t": "\ud800"}])
def test_arguments_that_json_cannot_hold_are_never_sealed(broken):
    story = Story()
    with pytest.raises(InputError):
        story.seal(action=action_with(story, broken))


def action_with(story, args):
    return replace(action(story), tool_args=args)


def test_a_lone_surrogate_in_a_name_is_refused():
    story = Story()
    with pytest.raises(InputError, match="surrogate"):
        story.seal(action=action(story, tool_name="\ud800"))


class TestView:
    def test_values_are_joined_in(self):
        story = Story().every_kind()
        shown = view(open_receipt(story.envelopes[1]), story.sealed[1])
        assert shown["action"]["args"]["value"] == {"to": "a@b.example", "note": SECRET}
        assert shown["action"]["hash"]["value"] == story.turns[1]["action"].action_hash
        assert shown["outcome"]["result"]["value"] == {"sent": True, "echo": SECRET}
        assert (
            view(open_receipt(story.envelopes[4]), story.sealed[4])["outcome"]["error"]["value"]
            == f"refused for {SECRET}"
        )

    def test_critical_values_and_permits_are_joined_in(self):
        story = Story().every_kind()
        asked = view(open_receipt(story.envelopes[2]), story.sealed[2])
        assert [each["value"]["value"] for each in asked["decision"]["critical"]] == [
            f"{SECRET}@evil.example",
            f"{SECRET}@else.example",
        ]
        resolved = view(open_receipt(story.envelopes[3]), story.sealed[3])
        assert resolved["decision"]["modified"]["value"] == {"to": "a@b.example", "note": "[redacted]"}
        assert resolved["permit"]["args_hash"]["value"] == story.turns[3]["permit"].args_hash

    @pytest.mark.parametrize("gone", [None, Sealed()])
    def test_erased_values_are_said_to_be_erased(self, gone):
        story = Story().every_kind()
        body = open_receipt(story.envelopes[1])
        shown = view(body, gone)
        assert shown["action"]["args"] == {"commitment": body["action"]["args"], "erased": True}
        assert shown["outcome"]["result"]["erased"] is True
        verify_receipt(story.envelopes[1], story.ring)

    def test_values_may_be_erased_one_by_one(self):
        story = Story().every_kind()
        shown = view(open_receipt(story.envelopes[3]), replace(story.sealed[3], modified_args=None))
        assert shown["decision"]["modified"]["erased"] is True
        assert shown["permit"]["args_hash"]["erased"] is True
        assert "value" in shown["action"]["args"]

    def test_a_changed_value_is_not_shown(self):
        story = Story().every_kind()
        sealed = Sealed(args={"to": "x"}, args_salt=story.sealed[0].args_salt)
        shown = view(open_receipt(story.envelopes[0]), sealed)
        assert shown["action"]["args"]["altered"] is True
        assert "value" not in shown["action"]["args"]

    def test_a_view_leaves_the_body_as_it_was(self):
        story = Story().every_kind()
        body = open_receipt(story.envelopes[0])
        view(body, story.sealed[0])
        assert body == open_receipt(story.envelopes[0])
        assert decode_body(parse(story.envelopes[0]).payload).kind is TurnKind.DECISION


def test_the_genesis_tells_sessions_and_workspaces_apart():
    assert len({genesis("a", "b"), genesis("b", "a"), genesis("a", "bb"), genesis("ab", "b")}) == 4
