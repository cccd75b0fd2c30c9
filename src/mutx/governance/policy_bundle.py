"""The policies in force in one workspace as one signed document, for engines that decide elsewhere.

A DSSE envelope of type `BUNDLE_TYPE` around canonical JSON, signed with the installation's receipt key. Whoever takes one
checks the signature against a key it has from elsewhere, that the workspace is the one it follows, and that the revision
is not older than the one it holds: an old document, replayed, is as wrong as a changed one.
"""

import msgspec
from msgspec import Struct

from mutx.governance.dsse import EnvelopeWriter
from mutx.governance.keys import KeyRing
from mutx.governance.ports import Signer
from mutx.governance.receipt_body import At, Part
from mutx.governance.receipt_checks import check_validity, open_envelope
from mutx.kit.errors import Conflict, VerificationFailed

BUNDLE_TYPE = "application/vnd.mutx.policy-bundle.v1+json"


class BundledPolicy(Part, frozen=True, kw_only=True):
    """One policy; `kind` as `contract.policies.PolicyKind`, `digest` of what is compiled."""

    name: str
    version: int
    kind: str
    document: str
    digest: str


class PolicyBundle(Part, frozen=True, kw_only=True):
    """The payload."""

    v: int
    workspace: str
    revision: int
    """How often the workspace's policies have changed; grows only."""
    policy_version: str
    """What decisions on exactly these policies carry."""
    at: At
    policies: tuple[BundledPolicy, ...] = ()
    """Those that are enabled, by name."""


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(PolicyBundle)


def seal_bundle(bundle: PolicyBundle, signer: Signer) -> bytes:
    """The envelope."""
    return EnvelopeWriter(BUNDLE_TYPE, signer.key_id, signer.sign).write(_ENCODER.encode(bundle))


def open_bundle(envelope: bytes, keys: KeyRing) -> PolicyBundle:
    """What a trusted key signed. Raises VerificationFailed."""
    payload, key = open_envelope(envelope, BUNDLE_TYPE, keys)
    try:
        bundle = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"the policy bundle cannot be read: {error}") from error
    if bundle.v != 1 or _ENCODER.encode(bundle) != payload:
        raise VerificationFailed("the policy bundle is not of format 1, or not in canonical form")
    check_validity(key, bundle.at)
    return bundle


class HeldBundle(Struct, frozen=True):
    """What is known of the last bundle that was taken."""

    workspace: str
    revision: int
    policy_version: str


def succeeds(bundle: PolicyBundle, held: HeldBundle | None) -> bool:
    """Whether the bundle is to be taken; False for the one that is held already.

    Raises VerificationFailed for another workspace's or an older one, Conflict for another of the same revision.
    """
    if held is None:
        return True
    if bundle.workspace != held.workspace:
        raise VerificationFailed("the policy bundle is of another workspace than the one followed so far")
    if bundle.revision < held.revision:
        raise VerificationFailed(
            f"the policy bundle is older (revision {bundle.revision}) than the one held ({held.revision})"
        )
    if bundle.revision == held.revision:
        if bundle.policy_version != held.policy_version:
            raise Conflict(
                f"two different policy bundles of revision {held.revision} were signed; ask who runs the source"
            )
        return False
    return True
