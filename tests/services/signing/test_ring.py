"""Keys change, receipts stay verifiable; a revoked key signs no more."""

import stat

import pytest

from mutx.governance.keys import KeyRing
from mutx.governance.verify import verify_export, verify_receipt
from mutx.governance.verify_report import VerificationVerdict
from mutx.kit.clock import rfc3339
from mutx.kit.errors import KeyUnusable, VerificationFailed
from mutx.services.signing import FileSigner, load_ring, open_signer, revoke, rotate, save_ring
from tests.governance.receipts.story import START, Story, dump, export


@pytest.fixture
def key(tmp_path):
    return tmp_path / "signing.pem"


@pytest.fixture
def ring(tmp_path):
    return tmp_path / "keys.json"


def test_the_first_start_writes_the_key_into_the_ring(key, ring):
    signer = open_signer(key, ring, may_create=True, now=START)
    [known] = load_ring(ring)
    assert (known.id, known.created_at) == (signer.key_id, rfc3339(START))
    before = ring.read_bytes()
    open_signer(key, ring, may_create=False, now=START + 9)
    assert ring.read_bytes() == before
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600


def test_after_a_rotation_all_receipts_verify(key, ring):
    old = open_signer(key, ring, may_create=True, now=START)
    story = Story(signer=old)
    story.seal()
    fresh = rotate(key, ring, now=START + 5)
    assert fresh.key_id != old.key_id
    assert open_signer(key, ring, may_create=False, now=START + 6).key_id == fresh.key_id
    later = Story(session="s-2", signer=fresh, at=START + 5)
    later.seal()
    keys = load_ring(ring)
    assert {each.id: each.retired_at for each in keys} == {old.key_id: rfc3339(START + 5), fresh.key_id: None}
    report = verify_export(dump(export(story, later, signer=fresh, keys=list(keys))), keys)
    assert report.verdict is VerificationVerdict.VERIFIED


def test_a_rotation_enters_a_key_the_ring_has_lost(key, ring):
    old = FileSigner(key, may_create=True)
    rotate(key, ring, now=START)
    assert load_ring(ring).get(old.key_id).retired_at == rfc3339(START)


def test_a_retired_key_signs_nothing_more(key, ring):
    """Whoever keeps a copy of the old private key, or a backup of it, makes no receipts with it."""
    copy = Story(signer=open_signer(key, ring, may_create=True, now=START))
    before, _ = copy.seal()
    seed = key.read_bytes()
    rotate(key, ring, now=START + 5)
    copy.at = START + 6
    after, _ = copy.seal()
    verify_receipt(before.envelope, load_ring(ring))
    with pytest.raises(VerificationFailed, match="retired"):
        verify_receipt(after.envelope, load_ring(ring))
    key.write_bytes(seed)
    with pytest.raises(KeyUnusable, match=r"retired.*rotate again"):
        open_signer(key, ring, may_create=False, now=START + 7)
    fresh = rotate(key, ring, now=START + 8)
    assert load_ring(ring).get(copy.signer.key_id).retired_at == rfc3339(START + 5)
    assert open_signer(key, ring, may_create=False, now=START + 9).key_id == fresh.key_id


def test_a_missing_key_cannot_be_rotated(key, ring):
    with pytest.raises(KeyUnusable, match="restore"):
        rotate(key, ring, now=START)
    assert not key.exists()
    assert not ring.exists()


def test_a_revoked_key_neither_signs_nor_convinces(key, ring):
    story = Story(signer=open_signer(key, ring, may_create=True, now=START))
    before, _ = story.seal()
    revoke(ring, story.signer.key_id, at=story.at + 1, reason="stolen")
    after, _ = story.seal()
    verify_receipt(before.envelope, load_ring(ring))
    with pytest.raises(VerificationFailed, match="stolen"):
        verify_receipt(after.envelope, load_ring(ring))
    with pytest.raises(KeyUnusable, match=r"revoked.*rotate"):
        open_signer(key, ring, may_create=False, now=START)
    rotate(key, ring, now=START + 9)
    open_signer(key, ring, may_create=False, now=START + 9)
    assert load_ring(ring).get(story.signer.key_id).reason == "stolen"


def test_an_unknown_key_cannot_be_revoked(ring):
    with pytest.raises(KeyUnusable, match="no key mutx-0"):
        revoke(ring, "mutx-0", at=START, reason="")


@pytest.mark.parametrize("data", [b"\xff", b"{", b'{"keys":[{}]}'])
def test_a_ring_that_cannot_be_read(ring, data):
    ring.write_bytes(data)
    with pytest.raises(KeyUnusable):
        load_ring(ring)


def test_a_ring_that_is_a_folder(ring):
    ring.mkdir()
    with pytest.raises(KeyUnusable, match="cannot be read"):
        load_ring(ring)


def test_a_ring_or_a_key_whose_folder_is_gone(tmp_path, key):
    with pytest.raises(KeyUnusable, match="cannot write the key ring"):
        save_ring(tmp_path / "none" / "keys.json", KeyRing())


def test_an_empty_ring_is_kept(ring):
    save_ring(ring, KeyRing())
    assert len(load_ring(ring)) == 0
