"""Policies as one signed document: taken only as it was signed, from whom it is followed, and never an older one."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from mutx.governance.dsse import EnvelopeWriter, parse
from mutx.governance.keys import KeyRing
from mutx.governance.policy_bundle import (
    BUNDLE_TYPE,
    BundledPolicy,
    HeldBundle,
    PolicyBundle,
    open_bundle,
    seal_bundle,
    succeeds,
)
from mutx.kit.errors import Conflict, VerificationFailed
from mutx.services.signing.signer import EphemeralSigner

POLICY = BundledPolicy(name="house", version=3, kind="set", document="name: house\nrules: []\n", digest="ab" * 32)
BUNDLE = PolicyBundle(
    v=1,
    workspace="ws",
    revision=7,
    policy_version="cd" * 32,
    at="2027-01-15T08:00:00.000000Z",
    policies=(POLICY,),
)


@pytest.fixture
def signer() -> EphemeralSigner:
    return EphemeralSigner()


@pytest.fixture
def keys(signer: EphemeralSigner) -> KeyRing:
    return KeyRing((signer.public_key,))


def test_what_was_sealed_opens(signer: EphemeralSigner, keys: KeyRing) -> None:
    assert open_bundle(seal_bundle(BUNDLE, signer), keys) == BUNDLE
    assert open_bundle(seal_bundle(replace(BUNDLE, policies=()), signer), keys).policies == ()


def test_what_was_changed_or_signed_by_others_does_not(signer: EphemeralSigner, keys: KeyRing) -> None:
    sealed = seal_bundle(BUNDLE, signer)
    other = parse(seal_bundle(replace(BUNDLE, revision=8), signer))
    forged = EnvelopeWriter(BUNDLE_TYPE, signer.key_id, lambda _: other.signature).write(parse(sealed).payload)
    for wrong in (forged, sealed[:-1], b"{}", seal_bundle(BUNDLE, EphemeralSigner())):
        with pytest.raises(VerificationFailed):
            open_bundle(wrong, keys)
    of_another_kind = EnvelopeWriter("text/plain", signer.key_id, signer.sign).write(parse(sealed).payload)
    with pytest.raises(VerificationFailed, match="text/plain"):
        open_bundle(of_another_kind, keys)


@pytest.mark.parametrize("payload", [b"{}", b"[", b"\xff", msgspec.json.encode({"v": 1})])
def test_a_signed_payload_is_read_strictly(payload: bytes, signer: EphemeralSigner, keys: KeyRing) -> None:
    with pytest.raises(VerificationFailed, match="cannot be read"):
        open_bundle(EnvelopeWriter(BUNDLE_TYPE, signer.key_id, signer.sign).write(payload), keys)


@pytest.mark.parametrize("change", [{"v": 2}, {}], ids=["format", "spelling"])
def test_one_format_in_one_spelling(change: dict[str, Any], signer: EphemeralSigner, keys: KeyRing) -> None:
    fields = {**msgspec.to_builtins(BUNDLE), **change}
    payload = msgspec.json.encode(dict(reversed(fields.items())))
    with pytest.raises(VerificationFailed, match="format 1"):
        open_bundle(EnvelopeWriter(BUNDLE_TYPE, signer.key_id, signer.sign).write(payload), keys)


def test_a_key_that_was_revoked_before_signs_nothing(signer: EphemeralSigner, keys: KeyRing) -> None:
    revoked = keys.revoke(signer.key_id, "2027-01-01T00:00:00.000000Z", "stolen")
    with pytest.raises(VerificationFailed, match="stolen"):
        open_bundle(seal_bundle(BUNDLE, signer), revoked)


def test_only_newer_ones_of_the_same_workspace_follow() -> None:
    held = HeldBundle("ws", 7, BUNDLE.policy_version)
    assert succeeds(BUNDLE, None)
    assert not succeeds(BUNDLE, held)
    assert succeeds(replace(BUNDLE, revision=8), held)
    with pytest.raises(VerificationFailed, match="older"):
        succeeds(replace(BUNDLE, revision=6), held)
    with pytest.raises(VerificationFailed, match="another workspace"):
        succeeds(replace(BUNDLE, workspace="elsewhere", revision=9), held)
    with pytest.raises(Conflict, match="two different"):
        succeeds(replace(BUNDLE, policy_version="ef" * 32), held)
