"""One entry of a workspace's audit chain, in two parts: a link that stays for ever, and a content that may be erased.

The link names the workspace, its place, the link before it, when, which retention class it is in, and a salted
commitment to the content. Its hash covers all of that. Once content and salt are erased the chain still verifies, and
the commitment tells nothing, not even to someone who guesses what stood there.
"""

from typing import Any

import msgspec

from mutx.governance.commitments import CommitmentOpening, commit, opens
from mutx.governance.receipt_body import At, Hash, Part
from mutx.kit.canonical import canonical, sha256_hex
from mutx.kit.errors import VerificationFailed

SLOT = "audit.content"
VERSION = 1


class AuditLink(Part, frozen=True, kw_only=True):
    """What stays of an entry."""

    v: int
    workspace: str
    seq: int
    """Place in the workspace's chain, from 1."""
    prev: Hash | None = None
    """Hash of the link before; None of the first."""
    at: At
    retention: str
    """Retention class: how long the content is kept."""
    content: Hash
    """Commitment to the content."""

    @property
    def hash(self) -> str:
        """64 hex digits; the next link's `prev`."""
        return sha256_hex(canonical(msgspec.to_builtins(self)))


def commit_content(salt: bytes, content: dict[str, Any]) -> str:
    """The commitment that stands in the link. Raises InputError for what JSON cannot hold."""
    return commit(SLOT, salt, content)


def content_fits(link: AuditLink, salt: str, content: Any) -> bool:
    """Whether `content` and `salt` (32 hex digits) are what the link commits to."""
    return opens(SLOT, link.content, CommitmentOpening(salt=salt, value=content))


class AuditChain:
    """Takes links one by one, from the first that is kept."""

    def __init__(self, workspace: str, base: int = 0, base_hash: str | None = None) -> None:
        """`base`, `base_hash`: the last link that retention removed whole."""
        self.workspace = workspace
        self.seq = base
        self.hash = base_hash

    def link(self, link: AuditLink) -> None:
        """Raises VerificationFailed for a link that does not come next; the walk goes on from it."""
        said, expected, prev = f"entry {link.seq}", self.seq + 1, self.hash
        self.seq, self.hash = link.seq, link.hash
        if link.v != VERSION or link.workspace != self.workspace:
            raise VerificationFailed(f"{said} is of another workspace or of a format that this verifier does not know")
        if link.seq != expected:
            raise VerificationFailed(f"entry {expected} is missing or out of order: {said} comes in its place")
        if link.prev != prev:
            raise VerificationFailed(f"{said} does not link to the one before it")
