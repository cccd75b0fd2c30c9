"""The file: what comes out verifies, and whatever else comes in is refused without a traceback."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mutx.governance import export_format
from mutx.governance.export import export_receipts
from mutx.governance.keys import KeyRing
from mutx.governance.turn import Outcome, OutcomeStatus, TurnKind
from mutx.governance.verify import verify_export
from mutx.governance.verify_report import VerificationStep, VerificationVerdict
from mutx.kit.errors import VerificationFailed
from tests.governance.receipts.story import START, Story, dump, export, export_bytes

STORY = Story().every_kind()


def test_any_order_of_receipts_gives_the_same_file():
    other = Story(session="s-0").every_kind()
    pairs = [(each.envelope, None) for each in (*STORY.receipts, *other.receipts)]
    files = {export_receipts(order, keys=STORY.ring, signer=STORY.signer, at=START) for order in (pairs, pairs[::-1])}
    [data] = files
    assert verify_export(data, STORY.ring).verdict is VerificationVerdict.VERIFIED
    assert b'"values"' not in data


def test_values_that_are_gone_are_left_out():
    pairs = [(STORY.receipts[0].envelope, STORY.sealed[0]), *((each.envelope, None) for each in STORY.receipts[1:])]
    file = json.loads(export_receipts(pairs, keys=[], signer=STORY.signer, at=START))
    assert set(file["values"]) == {"r-s-1-1"}
    assert set(file["values"]["r-s-1-1"]) == {"action.args", "action.hash", "permit.args_hash"}


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(alphabet=st.characters(codec="utf-8"), max_size=5),
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from([1e16, 1e20, -1e20, 1e21, 2.0**53, 100.0, -0.0]),
            st.text(alphabet=st.characters(codec="utf-8"), max_size=5),
        ),
        max_size=5,
    )
)
def test_values_of_any_kind_travel_with_their_receipts(result):
    story = Story()
    story.seal(TurnKind.OUTCOME, outcome=Outcome(status=OutcomeStatus.EXECUTED, result=result))
    assert verify_export(export_bytes(story), story.ring).findings == ()


@pytest.mark.parametrize(
    "values",
    [
        {"r-nobody": {}},
        {"r-s-1-1": {"outcome.result": {"salt": "00" * 16, "value": 1}}},
        {"r-s-1-1": {"action.args": {"salt": "zz" * 16, "value": 1}}},
        {"r-s-1-1": {"action.args": {"salt": "00" * 15, "value": 1}}},
        {"r-s-1-1": {"action.args": {"salt": "", "value": None}}},
    ],
    ids=["unknown receipt", "unknown slot", "no hex", "short salt", "no salt"],
)
def test_values_that_open_nothing(values):
    report = verify_export(dump(export(STORY) | {"values": values}), STORY.ring)
    assert [finding.step for finding in report.findings] == [VerificationStep.VALUES]
    assert report.verdict is VerificationVerdict.FAILED


def test_the_other_case_of_a_salt_is_another_text():
    file = export(STORY)
    opening = file["values"]["r-s-1-1"]["action.args"]
    opening["salt"] = opening["salt"].upper() + ("" if opening["salt"].upper() != opening["salt"] else "A")
    assert verify_export(dump(file), STORY.ring).verdict is VerificationVerdict.FAILED


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"null",
        b"[]",
        b"{}",
        b"1e999",
        b'"\xff"',
        b'"\\ud800"',
        b"[" * 100_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b"9" * 5000,
        b'{"format":"mutx.receipts/1"}',
        b'{"format":"mutx.receipts/1","receipts":{}}',
        b'{"format":"mutx.receipts/1","receipts":[1]}',
        b'{"format":"mutx.receipts/1","receipts":[],"receipts":[]}',
        b'{"format":"mutx.receipts/2","receipts":[]}',
        b'{"format":"mutx.receipts/1","keys":[[]],"receipts":[]}',
        b'{"format":"mutx.receipts/1","head":[],"receipts":[]}',
        b'{"format":"mutx.receipts/1","receipts":[],"values":{"a":{"b":{"salt":1,"value":1}}}}',
        b'{"format":"mutx.receipts/1","receipts":[NaN]}',
    ],
    ids=lambda data: data[:40].decode(errors="replace"),
)
def test_what_is_no_export(data):
    report = verify_export(data, STORY.ring)
    assert report.verdict is VerificationVerdict.FAILED
    [finding] = report.findings
    assert finding.step is VerificationStep.FILE
    assert str(finding).startswith("step 1 (file): ")


@pytest.mark.parametrize("envelope", [{}, {"payload": "", "payloadType": "", "signatures": []}, {"payload": 1}])
def test_what_is_no_envelope(envelope):
    report = verify_export(dump(export(STORY) | {"receipts": [envelope]}), STORY.ring)
    assert [(finding.step, finding.position) for finding in report.findings] == [(VerificationStep.ENVELOPE, 1)]


def test_a_file_that_is_too_large(monkeypatch):
    monkeypatch.setattr(export_format, "MAX_BYTES", 10)
    assert "larger than" in verify_export(b" " * 11).findings[0].message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_refused_and_never_raises(data):
    assert verify_export(data, STORY.ring).verdict is VerificationVerdict.FAILED


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_one_changed_byte_anywhere_never_verifies(data):
    file = bytearray(dump(export(STORY)))
    file[data.draw(st.integers(0, len(file) - 1))] ^= data.draw(st.integers(1, 255))
    assert verify_export(bytes(file), STORY.ring).verdict is VerificationVerdict.FAILED


def test_bytes_that_are_no_receipt_are_not_exported():
    with pytest.raises(VerificationFailed):
        export_receipts([(b"{}", None)], keys=KeyRing(), signer=STORY.signer, at=START)
