"""The committed vectors, checked twice: by our verifier, and by what docs/receipt-format.md says, with other tools."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mutx.governance.commitments import CommitmentOpening, opens
from mutx.governance.keys import KeyRing, read_keys
from mutx.governance.receipts import genesis
from mutx.governance.verify import verify_export
from tests.governance.receipts.story import SEED

FOLDER = Path(__file__).parent / "vectors"
PARTS = json.loads((FOLDER / "parts.json").read_text())
EXPORTS = json.loads((FOLDER / "exports.json").read_text())


def pre_authentication_encoding(envelope):
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    return b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b" " + str(len(payload)).encode() + b" " + payload


@pytest.mark.parametrize("case", EXPORTS, ids=lambda case: case["name"])
def test_verdicts(case):
    trusted = KeyRing(key for each in case["trusted"] for key in read_keys(json.dumps(each)))
    report = verify_export(case["file"].encode(), trusted)
    found = [{"step": each.step, "position": each.position, "receipt": each.receipt_id} for each in report.findings]
    assert (report.verdict, found) == (case["verdict"], case["findings"])


def test_the_verdicts_cover_what_can_happen():
    assert {case["verdict"] for case in EXPORTS} == {"verified", "incomplete", "failed"}
    assert {finding["step"] for case in EXPORTS for finding in case["findings"]} == {3, 4, 6, 7, 8, 9}


def test_the_format_verifies_without_our_code():
    """The whole of docs/receipt-format.md §7 for a good file, in twenty lines."""
    file = json.loads(EXPORTS[0]["file"])
    raw = base64.urlsafe_b64decode(EXPORTS[0]["trusted"][0]["x"] + "=")
    key = Ed25519PublicKey.from_public_bytes(raw)
    heads, kinds = {}, set()
    for envelope in [*file["receipts"], file["head"]]:
        [signature] = envelope["signatures"]
        assert signature["keyid"] == "mutx-" + hashlib.sha256(raw).hexdigest()[:32]
        key.verify(base64.b64decode(signature["sig"]), pre_authentication_encoding(envelope))
    for envelope in file["receipts"]:
        body = json.loads(base64.b64decode(envelope["payload"]))
        start = {"type": "mutx.genesis.v1", "workspace": body["workspace"], "session": body["session"]}
        first = (hashlib.sha256(rfc8785.dumps(start)).hexdigest(), 0)
        head, count = heads.get((body["workspace"], body["session"]), first)
        assert (body["prev"], body["seq"]) == (head, count + 1)
        kinds.add(body["kind"])
        heads[body["workspace"], body["session"]] = hashlib.sha256(rfc8785.dumps(envelope)).hexdigest(), body["seq"]
        opening = file["values"][body["id"]]["action.args"]
        text = b"mutx.commitment.v1/action.args\0" + bytes.fromhex(opening["salt"]) + rfc8785.dumps(opening["value"])
        assert body["action"]["args"] == hashlib.sha256(text).hexdigest()
    statement = json.loads(base64.b64decode(file["head"]["payload"]))
    assert {(s["workspace"], s["session"]): (s["head"], s["count"]) for s in statement["sessions"]} == heads
    assert statement["keys"] == hashlib.sha256(rfc8785.dumps(file["keys"])).hexdigest()
    assert kinds == {"decision", "resolution", "outcome"}


def test_genesis():
    for case in PARTS["genesis"]:
        assert genesis(case["workspace"], case["session"]) == case["hash"]


def test_commitments():
    for case in PARTS["commitments"]:
        text = b"mutx.commitment.v1/" + case["slot"].encode() + b"\0" + bytes.fromhex(case["salt"])
        assert hashlib.sha256(text + case["canonical"].encode()).hexdigest() == case["commitment"]
        value = json.loads(case["canonical"], parse_int=float)
        assert opens(case["slot"], case["commitment"], CommitmentOpening(case["salt"], value))


def test_the_key_and_the_envelope():
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(PARTS["key"]["seed"]))
    [key] = read_keys(json.dumps(PARTS["key"]["jwk"]))
    assert private.public_key().public_bytes_raw() == key.raw
    assert bytes.fromhex(PARTS["key"]["seed"]) == SEED
    envelope = json.loads(PARTS["envelope"]["envelope"])
    message = pre_authentication_encoding(envelope)
    assert message.hex() == PARTS["envelope"]["pae"]
    assert private.sign(message) == base64.b64decode(envelope["signatures"][0]["sig"])
