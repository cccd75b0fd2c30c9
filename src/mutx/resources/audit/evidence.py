"""The log as a file that proves itself: `governance.audit.evidence` says what is in it, `mutx audit verify` checks it."""

from collections.abc import AsyncIterator
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.audit.evidence import entry_line, head_line, header_line, receipt_line
from mutx.governance.dsse import EnvelopeWriter
from mutx.governance.keys import KeyRing
from mutx.governance.ports import Signer
from mutx.governance.statement import HEAD_TYPE, HeadStatement, SessionHead, encode_statement
from mutx.governance.types import Caller
from mutx.kit.canonical import digest
from mutx.kit.clock import rfc3339
from mutx.kit.errors import PermissionDenied, TooLarge
from mutx.resources.audit.chain import content_of, link_of, payload_of
from mutx.resources.audit.models import AuditEventRow
from mutx.resources.audit.news import AuditEntries
from mutx.resources.audit.query import AuditScope
from mutx.services.identity.sealing import Sealer
from mutx.storage.views import LedgerStore, SessionEntry

PAGE = 500
MAX_LINES = 100_000
"""Of one file; more go into several, by time."""


class EvidenceWanted(Struct, frozen=True, kw_only=True):
    """Which contents and receipts. Links come along whatever is wanted: a chain is shown whole."""

    session_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def of_entry(self, row: AuditEventRow) -> bool:
        early = self.since is not None and row.timestamp < self.since
        late = self.until is not None and row.timestamp >= self.until
        return not early and not late and self.session_id in (None, row.session_id)

    def of_session(self, entry: SessionEntry) -> bool:
        """A session that was active meanwhile comes whole: half a chain proves nothing."""
        early = self.since is not None and entry.updated_at < self.since.timestamp()
        late = self.until is not None and entry.created_at >= self.until.timestamp()
        return not early and not late and self.session_id in (None, entry.session_id)


class AuditEvidence:
    """Writes the file, a page at a time, from one consistent view of the entries."""

    def __init__(
        self, ledger: LedgerStore, session: AsyncSession, keys: KeyRing, sealer: Sealer, signer: Signer, caller: Caller
    ) -> None:
        """Raises PermissionDenied for who may not see the whole log."""
        scope = AuditScope.of(caller)
        if scope.agent_id is not None or scope.user_id is not None:
            raise PermissionDenied("evidence shows the whole log; ask for the role AUDIT_ADMIN")
        self._ledger = ledger
        self._entries = AuditEntries(session, scope)
        self._workspace = scope.workspace_id
        self._keys = keys
        self._sealer = sealer
        self._signer = signer
        self._lines = 0

    async def write(self, wanted: EvidenceWanted, at: float) -> bytes:
        """`at`: seconds. Raises TooLarge, and KeyUnusable for an entry whose payload cannot be opened."""
        parts = [header_line(self._workspace, at, self._keys)]
        end = await self._entries.end()
        if end is not None:
            parts += [line async for line in self._entry_lines(end.base, wanted)]
        heads: list[SessionHead] = []
        for entry in [each async for each in self._sessions() if wanted.of_session(each)]:
            parts += [line async for line in self._receipts(entry)]
            head = SessionHead(workspace=self._workspace, session=entry.session_id, count=entry.seq, head=entry.head)
            heads.append(head)
        signed = end.statement.encode() if end is not None and end.statement is not None else None
        parts.append(head_line(signed, self._statement(heads, at)))
        return b"".join(parts)

    async def _entry_lines(self, base: int, wanted: EvidenceWanted) -> AsyncIterator[bytes]:
        while page := await self._entries.after(base, PAGE):
            self._count(len(page))
            for row in page:
                yield entry_line(link_of(row), self._opened(row) if wanted.of_entry(row) else None)
            base = page[-1].sequence

    def _opened(self, row: AuditEventRow) -> tuple[str, dict[str, object]] | None:
        return None if row.salt is None else (row.salt, content_of(row, payload_of(row, self._sealer)))

    async def _sessions(self) -> AsyncIterator[SessionEntry]:
        seen: set[str] = set()
        while page := (await self._ledger.sessions(self._workspace, skip=len(seen), limit=PAGE))[0]:
            for entry in page:
                if entry.session_id not in seen:  # a session opened meanwhile moves the rest by one
                    seen.add(entry.session_id)
                    yield entry

    async def _receipts(self, entry: SessionEntry) -> AsyncIterator[bytes]:
        """Up to the head that the session had; later receipts are another file's."""
        after = 0
        while after < entry.seq:
            limit = min(PAGE, entry.seq - after)
            turns = await self._ledger.turns(self._workspace, entry.session_id, after=after, limit=limit)
            self._count(len(turns))
            for turn in turns:
                yield receipt_line(turn.receipt.envelope)
            if not turns:
                break
            after = turns[-1].seq

    def _statement(self, heads: list[SessionHead], at: float) -> bytes:
        statement = HeadStatement(
            v=1,
            at=rfc3339(at),
            keys=digest([key.jwk() for key in self._keys]),
            sessions=tuple(sorted(heads, key=lambda head: head.session)),
        )
        return EnvelopeWriter(HEAD_TYPE, self._signer.key_id, self._signer.sign).write(encode_statement(statement))

    def _count(self, more: int) -> None:
        self._lines += more
        if self._lines > MAX_LINES:
            raise TooLarge(f"more than {MAX_LINES} lines; export one session or a shorter time")
