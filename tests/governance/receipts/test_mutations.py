"""Every leaf of every receipt, of the head, of the keys and of the values: change it, and verification fails."""

import copy
import json
from binascii import a2b_base64, b2a_base64

import pytest

from mutx.governance.verify import verify_export
from mutx.governance.verify_report import VerificationStep, VerificationVerdict
from tests.governance.receipts.story import Story, body_of, dump, export, with_body

STORY = Story().every_kind()
FILE = export(STORY)


def leaves(value, path=()):
    """Paths of all scalars and of all empty containers."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for key, child in children for leaf in leaves(child, (*path, key))]
    return found or [path]


def mutations(value):
    """Other values for a leaf: close ones, other types, null, empty."""
    if isinstance(value, bool):
        return [not value, None, int(value), str(value)]
    if isinstance(value, int):
        return [value + 1, -value - 1, str(value), None, bool(value), value + 0.5]
    flipped = value[:-1] + ("a" if value[-1] != "a" else "b")
    return [flipped, value + " ", value.swapcase() + "x", "", None, [value], {"is": value}, 1]


def put(value, path, leaf):
    changed = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = leaf
    return changed


def take(value, path):
    changed = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return changed


def at(value, path):
    for key in path:
        value = value[key]
    return value


def failed(file):
    report = verify_export(dump(file), STORY.ring)
    assert report.verdict is VerificationVerdict.FAILED
    return report


def test_the_untouched_file_verifies():
    report = verify_export(dump(FILE), STORY.ring)
    assert (report.verdict, report.findings, report.receipts) == (VerificationVerdict.VERIFIED, (), 7)
    [session] = report.sessions
    assert (session.workspace_id, session.session_id, session.count, session.head) == ("w-1", "s-1", 7, STORY.head)
    assert report.stated_at == "2027-01-15T08:01:10.500000Z"
    report.require()


def body_leaves():
    bodies = [body_of(envelope) for envelope in FILE["receipts"]]
    return [(position, path) for position, body in enumerate(bodies) for path in leaves(body)]


@pytest.mark.parametrize(
    ("position", "path"),
    body_leaves(),
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else str(part),
)
def test_every_leaf_of_every_body(position, path):
    body = body_of(FILE["receipts"][position])
    for body_changed in (*(put(body, path, other) for other in mutations(at(body, path))), take(body, path)):
        file = put(FILE, ("receipts", position), with_body(FILE["receipts"][position], body_changed))
        finding = failed(file).findings[0]
        assert finding.position == position + 1
        assert finding.step is VerificationStep.SIGNATURE


def test_every_added_member_of_every_body():
    for position, envelope in enumerate(FILE["receipts"]):
        body = body_of(envelope)
        for path in {leaf[:-1] for leaf in leaves(body)}:
            if isinstance(at(body, path), dict):
                changed = put(body, (*path, "extra"), 1)
                failed(put(FILE, ("receipts", position), with_body(envelope, changed)))


@pytest.mark.parametrize("path", leaves(FILE), ids=lambda path: ".".join(map(str, path)))
def test_every_leaf_of_the_file(path):
    for other in mutations(at(FILE, path)):
        failed(put(FILE, path, other))


def test_every_member_taken_from_an_envelope_the_head_or_a_key():
    for path in leaves(FILE):
        if path[0] != "values":
            failed(take(FILE, path))


def test_every_member_added_to_the_file():
    for path in ({leaf[:-1] for leaf in leaves(FILE)} | {()}) - {("values",)}:
        holder = at(FILE, path)
        if isinstance(holder, dict):
            failed(put(FILE, (*path, "extra"), "x"))
        else:
            failed(put(FILE, path, [*holder, holder[0] if holder else 1]))


def test_every_leaf_of_the_head_statement():
    head = FILE["head"]
    statement = body_of(head)
    for path in leaves(statement):
        for changed in (
            *(put(statement, path, other) for other in mutations(at(statement, path))),
            take(statement, path),
        ):
            report = failed(put(FILE, ("head",), with_body(head, changed)))
            assert report.findings[0].step is VerificationStep.HEAD


def base64_variants(text):
    """Other spellings that a lax decoder reads as the same bytes."""
    return [each for each in _spellings(text) if each != text]


def _spellings(text):
    yield text + "="
    yield text + "\n"
    yield text[:8] + "\n" + text[8:]
    yield " " + text
    yield text.rstrip("=")
    yield text.replace("+", "-").replace("/", "_") + ("" if "+" in text or "/" in text else "====")
    if text.endswith("="):
        # the unused bits of the last character
        index = len(text.rstrip("=")) - 1
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        yield text[:index] + alphabet[alphabet.index(text[index]) + 1] + text[index + 1 :]


def test_no_other_spelling_of_base64_passes():
    for position, envelope in enumerate(FILE["receipts"]):
        for path in (("payload",), ("signatures", 0, "sig")):
            for other in base64_variants(at(envelope, path)):
                report = failed(put(FILE, ("receipts", position, *path), other))
                assert report.findings[0].step is VerificationStep.ENVELOPE
                assert report.findings[0].position == position + 1


def test_no_other_text_of_the_same_file_passes():
    data = dump(FILE)
    for other in (
        json.dumps(FILE).encode(),
        json.dumps(FILE, indent=1).encode(),
        data + b"\n",
        b" " + data,
        b"\xef\xbb\xbf" + data,
        data.replace(b'"format":', b'"format":"mutx.receipts/0","format":'),
        data.replace(b"mutx.receipts/1", b"\\u006dutx.receipts/1"),
        data.decode().encode("utf-16"),
        data[:-2],
        b"",
    ):
        report = verify_export(other, STORY.ring)
        assert report.verdict is VerificationVerdict.FAILED
        assert report.findings[0].step is VerificationStep.FILE


def test_every_flipped_bit_of_one_signature_and_one_payload_byte():
    envelope = FILE["receipts"][0]
    signature = a2b_base64(envelope["signatures"][0]["sig"])
    for index in range(len(signature)):
        changed = bytearray(signature)
        changed[index] ^= 1 << (index % 8)
        text = b2a_base64(bytes(changed), newline=False).decode()
        failed(put(FILE, ("receipts", 0, "signatures", 0, "sig"), text))


def test_the_tampered_receipt_is_named():
    body = put(body_of(FILE["receipts"][3]), ("decision", "reason"), "all is well")
    report = failed(put(FILE, ("receipts", 3), with_body(FILE["receipts"][3], body)))
    [finding] = report.findings
    assert (finding.receipt_id, finding.position, finding.session_id) == ("r-s-1-4", 4, "s-1")
    assert "r-s-1-4" in str(finding)
    assert "changed afterwards" in str(finding)


def test_values_may_be_taken_away_but_not_changed():
    slots = {leaf[:2] for leaf in leaves(FILE["values"])}
    for path in [(), *((receipt,) for receipt, _ in slots), *slots]:
        file = take(FILE, ("values", *path))
        assert verify_export(dump(file), STORY.ring).verdict is VerificationVerdict.VERIFIED
    file = put(FILE, ("values", "r-s-1-1", "action.args", "value", "to"), "eve@evil.example")
    [finding] = failed(file).findings
    assert (finding.step, finding.receipt_id) == (VerificationStep.VALUES, "r-s-1-1")
