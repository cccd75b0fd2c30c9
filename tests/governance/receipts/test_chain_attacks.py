"""Whole receipts taken, doubled, moved, mixed; keys forged, unknown, revoked, rotated."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mutx.governance.dsse import EnvelopeWriter
from mutx.governance.keys import KeyRing, PublicKey
from mutx.governance.receipt_body import PAYLOAD_TYPE
from mutx.governance.statement import HEAD_TYPE
from mutx.governance.verify import verify_export, verify_receipt, verify_session
from mutx.governance.verify_report import VerificationStep, VerificationVerdict
from mutx.kit.canonical import digest
from mutx.kit.errors import VerificationFailed, VerificationIncomplete
from mutx.services.signing import Ed25519Signer, EphemeralSigner
from tests.governance.receipts.story import SEED, Story, body_of, dump, export, signed, with_body

STORY = Story().every_kind()
OTHER = Story(session="s-2").every_kind()
FILE = export(STORY, OTHER, values=False)
RECEIPTS = FILE["receipts"]
RING = STORY.ring


def judge(**changes):
    return verify_export(dump(FILE | changes), RING)


def refused(step, receipts=RECEIPTS, **changes):
    report = judge(receipts=receipts, **changes)
    assert report.verdict is VerificationVerdict.FAILED
    assert {finding.step for finding in report.findings} == {step}
    assert report.sessions == ()
    with pytest.raises(VerificationFailed):
        report.require()
    return report.findings


def test_two_sessions_in_one_file_verify():
    report = judge()
    assert report.verdict is VerificationVerdict.VERIFIED
    assert [(session.session_id, session.count) for session in report.sessions] == [("s-1", 7), ("s-2", 7)]


@pytest.mark.parametrize("index", [0, 3, 5])
def test_a_deleted_receipt_is_missed(index):
    finding, *_ = refused(VerificationStep.LINK, RECEIPTS[:index] + RECEIPTS[index + 1 :])
    assert finding.position == index + 1


@pytest.mark.parametrize("kept", range(7))
def test_a_truncated_session_is_missed_by_the_signed_head(kept):
    [finding] = refused(VerificationStep.HEAD, RECEIPTS[:kept] + RECEIPTS[7:])
    assert "signed head" in finding.message


def test_a_session_taken_whole_is_missed_by_the_signed_head():
    refused(VerificationStep.HEAD, RECEIPTS[7:])
    refused(VerificationStep.HEAD, RECEIPTS[:7])


@pytest.mark.parametrize("index", range(6))
def test_swapped_receipts(index):
    swapped = [*RECEIPTS]
    swapped[index], swapped[index + 1] = swapped[index + 1], swapped[index]
    refused(VerificationStep.LINK, swapped)


def test_swapped_sessions():
    refused(VerificationStep.LINK, RECEIPTS[7:] + RECEIPTS[:7])


@pytest.mark.parametrize("index", [0, 3, 6])
def test_a_duplicated_receipt(index):
    refused(VerificationStep.LINK, RECEIPTS[: index + 1] + RECEIPTS[index:])
    refused(VerificationStep.LINK, [*RECEIPTS, RECEIPTS[index]])


def test_receipts_of_two_sessions_interleaved():
    mixed = [each for pair in zip(RECEIPTS[:7], RECEIPTS[7:], strict=True) for each in pair]
    refused(VerificationStep.LINK, mixed)


@pytest.mark.parametrize("index", [1, 4, 6])
def test_a_splice_of_two_sessions(index):
    refused(VerificationStep.LINK, [*RECEIPTS[:index], RECEIPTS[7 + index], *RECEIPTS[index + 1 :]])


def test_a_tail_grafted_from_another_history_of_the_same_session():
    refused(VerificationStep.LINK, export(Story().every_kind(), OTHER, values=False)["receipts"][:3] + RECEIPTS[3:])


def test_a_fork_has_two_receipts_in_one_place():
    story = Story()
    story.seal()
    head, seq = story.head, story.seq
    story.seal()
    story.seal(id="fork", seq=seq + 1, prev=head)
    file = export(story, values=False)
    report = verify_export(dump(file), RING)
    assert report.verdict is VerificationVerdict.FAILED
    assert [finding.position for finding in report.findings] == [3]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seq": 3}, "number"),
        ({"prev": "0" * 64}, "link"),
        ({"at": 1.0}, "older"),
        ({"about": "r-nowhere"}, "before it"),
        ({"workspace_id": "w-2"}, "session"),
        ({"session_id": "s-3"}, "session"),
    ],
)
def test_a_well_signed_receipt_in_the_wrong_place(changes, says):
    story = Story()
    story.seal()
    story.seal(**changes)
    with pytest.raises(VerificationFailed, match=says) as caught:
        verify_session(story.envelopes, RING, workspace_id="w-1", session_id="s-1")
    assert caught.value.details == {"step": VerificationStep.LINK, "position": 2}


def test_two_receipts_of_one_id_in_two_sessions():
    first, second = Story(), Story(session="s-2")
    first.seal(id="same")
    second.seal(id="same")
    report = verify_export(dump(export(first, second)), RING)
    assert "same id" in report.findings[0].message


def test_a_session_verifies_alone():
    chain = verify_session(STORY.envelopes, RING, workspace_id="w-1", session_id="s-1")
    assert (chain.head, chain.count) == (STORY.head, 7)
    with pytest.raises(VerificationFailed) as caught:
        verify_session(STORY.envelopes[1:], RING, workspace_id="w-1", session_id="s-1")
    assert caught.value.details["position"] == 1


class TestHead:
    def test_without_a_head_nothing_is_said_of_the_end(self):
        file = {name: value for name, value in FILE.items() if name != "head"}
        report = verify_export(dump(file | {"receipts": RECEIPTS[:5]}), RING)
        assert report.verdict is VerificationVerdict.INCOMPLETE
        with pytest.raises(VerificationIncomplete, match="no signed head"):
            report.require()

    def test_a_head_of_another_export(self):
        refused(VerificationStep.HEAD, head=export(STORY)["head"])

    def test_a_receipt_in_place_of_the_head(self):
        refused(VerificationStep.HEAD, head=RECEIPTS[0])

    def test_a_head_signed_by_someone_else(self):
        refused(VerificationStep.HEAD, head=signed(body_of(FILE["head"]), EphemeralSigner(), HEAD_TYPE))

    @pytest.mark.parametrize(
        "change",
        [{"v": 2}, {"sessions": []}, {"extra": 1}, {"at": "yesterday"}, {"keys": digest([])}],
        ids=lambda change: next(iter(change)),
    )
    def test_a_well_signed_head_that_says_something_else(self, change):
        refused(VerificationStep.HEAD, head=signed(body_of(FILE["head"]) | change, payload_type=HEAD_TYPE))

    @pytest.mark.parametrize("change", [{"count": 6}, {"head": "0" * 64}, {"session": "s-9"}, {"workspace": "w-9"}])
    def test_a_well_signed_head_that_ends_elsewhere(self, change):
        statement = body_of(FILE["head"])
        statement["sessions"][0] |= change
        refused(VerificationStep.HEAD, head=signed(statement, payload_type=HEAD_TYPE))

    def test_no_receipts_at_all_prove_nothing(self):
        report = verify_export(dump(FILE | {"receipts": [], "head": signed_empty_head()}), RING)
        assert report.verdict is VerificationVerdict.INCOMPLETE


def signed_empty_head():
    statement = body_of(FILE["head"])
    del statement["sessions"]
    return signed(statement, payload_type=HEAD_TYPE)


class TestKeys:
    def test_with_no_key_but_the_files_own_it_is_incomplete(self):
        for trusted in (None, KeyRing()):
            report = verify_export(dump(FILE), trusted)
            assert report.verdict is VerificationVerdict.INCOMPLETE
            assert [finding.step for finding in report.findings] == [VerificationStep.KEY]

    def test_a_forger_who_brings_a_key_of_his_own(self):
        forger = EphemeralSigner()
        forged = Story(signer=forger).every_kind()
        file = export(forged)
        assert verify_export(dump(file), None).verdict is VerificationVerdict.INCOMPLETE
        report = verify_export(dump(file), RING)
        assert report.verdict is VerificationVerdict.FAILED
        assert {finding.step for finding in report.findings} == {VerificationStep.KEY}
        assert len(report.findings) == 7

    def test_one_receipt_signed_again_by_a_forger(self):
        body = body_of(RECEIPTS[2])
        body["decision"]["effect"] = "allow"
        forged = signed(body, EphemeralSigner())
        [finding] = refused(VerificationStep.KEY, [*RECEIPTS[:2], forged, *RECEIPTS[3:]])
        assert finding.receipt_id == "r-s-1-3"

    def test_a_forgers_signature_under_the_trusted_key_id(self):
        forged = signed(body_of(RECEIPTS[2]), EphemeralSigner())
        forged["signatures"][0]["keyid"] = STORY.signer.key_id
        [finding] = refused(VerificationStep.SIGNATURE, [*RECEIPTS[:2], forged, *RECEIPTS[3:]])
        assert finding.position == 3

    def test_a_forged_key_under_the_trusted_id_in_the_file(self):
        forged = FILE["keys"][0] | {"x": EphemeralSigner().public_key.jwk()["x"]}
        refused(VerificationStep.FILE, keys=[forged])

    @pytest.mark.parametrize(
        "key",
        [
            {"kty": "RSA"},
            {"crv": "Ed448"},
            {"alg": "none"},
            {"alg": "EdDSA"},
            {"d": "AAAA"},
            {"x": "AAAA"},
            {"x": "!"},
            {"x": 7},
            {"kid": "mutx-0"},
        ],
        ids=str,
    )
    def test_another_kind_of_key_in_the_file(self, key):
        refused(VerificationStep.FILE, keys=[FILE["keys"][0] | key])

    def test_a_signature_of_the_right_key_for_another_type(self):
        forged = signed(body_of(RECEIPTS[0]), payload_type="application/vnd.mutx.receipt.v2+json")
        refused(VerificationStep.ENVELOPE, [forged, *RECEIPTS[1:]])
        refused(VerificationStep.SIGNATURE, [forged | {"payloadType": RECEIPTS[0]["payloadType"]}, *RECEIPTS[1:]])

    def test_two_signatures_or_none(self):
        [signature] = RECEIPTS[0]["signatures"]
        for signatures in ([], [signature, signature]):
            refused(VerificationStep.ENVELOPE, [RECEIPTS[0] | {"signatures": signatures}, *RECEIPTS[1:]])

    def test_receipts_signed_at_or_after_the_revocation_fail_and_earlier_ones_hold(self):
        when = body_of(RECEIPTS[3])["at"]
        ring = KeyRing([replace(STORY.signer.public_key, revoked_at=when, reason="laptop stolen")])
        for position, envelope in enumerate(STORY.envelopes):
            if position < 3:
                verify_receipt(envelope, ring)
            else:
                with pytest.raises(VerificationFailed, match="laptop stolen") as caught:
                    verify_receipt(envelope, ring)
                assert caught.value.details["step"] is VerificationStep.VALIDITY

    def test_receipts_signed_after_the_retirement_fail_and_earlier_ones_hold(self):
        when = body_of(RECEIPTS[3])["at"]
        ring = KeyRing([STORY.signer.public_key]).retire(STORY.signer.key_id, when)
        for position, envelope in enumerate(STORY.envelopes):
            if position <= 3:
                verify_receipt(envelope, ring)
            else:
                with pytest.raises(VerificationFailed, match="retired at") as caught:
                    verify_receipt(envelope, ring)
                assert caught.value.details["step"] is VerificationStep.VALIDITY
        failed = [finding.position for finding in verify_export(dump(FILE), ring).findings]
        assert failed == [number for number, one in enumerate(RECEIPTS, 1) if body_of(one)["at"] > when]

    def test_a_head_signed_after_the_retirement_fails(self):
        ring = KeyRing([replace(STORY.signer.public_key, retired_at=body_of(RECEIPTS[-1])["at"])])
        report = verify_export(dump(FILE), ring)
        assert [finding.step for finding in report.findings] == [VerificationStep.HEAD]

    def test_a_head_signed_after_the_revocation_fails(self):
        ring = KeyRing([replace(STORY.signer.public_key, revoked_at=body_of(FILE["head"])["at"])])
        report = verify_export(dump(FILE), ring)
        assert [finding.step for finding in report.findings] == [VerificationStep.HEAD]

    def test_after_a_rotation_old_and_new_receipts_verify_in_one_chain(self):
        story = Story()
        story.seal()
        fresh = Ed25519Signer(bytes(32))
        later = Story(signer=fresh)
        later.at, later.seq, later.head = story.at, story.seq, story.head
        later.receipts, later.sealed = story.receipts, story.sealed
        later.seal()
        retired = replace(story.signer.public_key, retired_at="2027-01-15T08:00:02.000000Z")
        ring = KeyRing([retired, fresh.public_key])
        file = export(later, keys=[retired, fresh.public_key])
        assert verify_export(dump(file), ring).verdict is VerificationVerdict.VERIFIED
        assert verify_export(dump(file), KeyRing([fresh.public_key])).findings[0].position == 1


class TestBody:
    """What the right key signed, and is no receipt of this format all the same."""

    @pytest.mark.parametrize(
        "change",
        [
            {"v": 2},
            {"kind": "guess"},
            {"extra": 1},
            {"seq": "1"},
            {"seq": 1.5},
            {"outcome": None},
            {"prev": "00"},
            {"at": "2027-01-15T08:00:01Z"},
            {"action": {}},
        ],
        ids=str,
    )
    def test_another_shape(self, change):
        envelope = signed(body_of(RECEIPTS[0]) | change)
        [finding] = refused(VerificationStep.BODY, [envelope, *RECEIPTS[1:]])
        assert finding.receipt_id is None
        assert "(unreadable)" in str(finding)

    @pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{", b"\xff", b'{"v":1,"v":1}', b"[" * 100_000])
    def test_no_body_at_all(self, payload):
        signer = Ed25519Signer(SEED)
        envelope = EnvelopeWriter(PAYLOAD_TYPE, signer.key_id, signer.sign).write(payload)
        with pytest.raises(VerificationFailed) as caught:
            verify_receipt(envelope, RING)
        assert caught.value.details["step"] is VerificationStep.BODY

    def test_a_body_that_is_not_canonical(self):
        signer = Ed25519Signer(SEED)
        payload = json.dumps(body_of(RECEIPTS[0])).encode()
        with pytest.raises(VerificationFailed, match="canonical"):
            verify_receipt(EnvelopeWriter(PAYLOAD_TYPE, signer.key_id, signer.sign).write(payload), RING)


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_rearrangement_survives(rng: random.Random):
    receipts = [*RECEIPTS]
    for _ in range(rng.randint(1, 3)):
        index = rng.randrange(len(receipts))
        match rng.randrange(5):
            case 0:
                del receipts[index]
            case 1:
                receipts.insert(rng.randrange(len(receipts) + 1), receipts[index])
            case 2:
                receipts[index] = RECEIPTS[rng.randrange(len(RECEIPTS))]
            case 3:
                rng.shuffle(receipts)
            case _:
                body = body_of(receipts[index])
                body["seq"] += rng.choice((-1, 1))
                receipts[index] = with_body(receipts[index], body)
    verdict = judge(receipts=receipts).verdict
    assert (verdict is VerificationVerdict.VERIFIED) == (receipts == RECEIPTS)


def test_keys_in_a_ring_are_found_by_id():
    key = PublicKey(raw=bytes(32))
    assert KeyRing([key]).get(key.id) == key
