"""The hash chain of one session: genesis, links, head."""

from mutx.governance.receipt_body import ReceiptBody
from mutx.kit.canonical import digest, sha256_hex
from mutx.kit.errors import VerificationFailed


def genesis(workspace_id: str, session_id: str) -> str:
    """What a session's first receipt links to: 64 hex digits that no other session has."""
    return digest({"type": "mutx.genesis.v1", "workspace": workspace_id, "session": session_id})


class ReceiptChain:
    """The receipts of one session as they follow one another. Checks linkage; signatures are `verify`'s."""

    def __init__(self, workspace_id: str, session_id: str) -> None:
        self.workspace_id = workspace_id
        self.session_id = session_id
        self.head = genesis(workspace_id, session_id)
        """Hash of the last receipt, or the genesis."""
        self.count = 0
        self._at = ""
        self._ids: set[str] = set()

    def link(self, body: ReceiptBody, envelope: bytes) -> None:
        """Add the next receipt. Raises VerificationFailed, and then nothing was added."""
        if (body.workspace, body.session) != (self.workspace_id, self.session_id):
            raise VerificationFailed("the receipt belongs to another session")
        if body.seq != self.count + 1:
            raise VerificationFailed(f"the receipt says it is number {body.seq}, but {self.count + 1} comes here")
        if body.prev != self.head:
            raise VerificationFailed("the receipt does not link to the one before it")
        if body.at < self._at:
            raise VerificationFailed("the receipt is older than the one before it")
        if body.about is not None and body.about not in self._ids:
            raise VerificationFailed("the receipt is about a receipt that does not come before it")
        self.head, self.count, self._at = sha256_hex(envelope), body.seq, body.at
        self._ids.add(body.id)
