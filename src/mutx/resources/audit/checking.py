"""Whether a workspace's chain of entries is what was written: links, contents, erasures, and the signed end."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mutx.governance.audit.entry import AuditChain
from mutx.governance.keys import KeyRing
from mutx.kit.clock import rfc3339
from mutx.kit.errors import KeyUnusable, VerificationFailed
from mutx.resources.audit.chain import is_unchanged, link_of, payload_of
from mutx.resources.audit.models import AuditEventRow
from mutx.resources.audit.news import AuditEntries
from mutx.resources.audit.trail import HEAD_INVALID, head_fault
from mutx.services.identity.sealing import Sealer

PAGE = 500
MAX_ERRORS = 100
MAX_CHECKED = 200_000
"""Entries of a chain that one check recomputes."""

PRUNED, ERASED_ONE = "AUDIT_PRUNED", "AUDIT_ERASED"


class Erasures(Struct):
    """What was erased, and what the chain says was to be."""

    gone: list[tuple[int, str, str]]
    """Place, retention class and time of entries without content."""
    pruned: dict[str, str]
    """Retention class -> content older than this was to go."""
    asked: set[int]
    """Places of entries that somebody erased."""

    def unexplained(self) -> Iterator[int]:
        for seq, retention, at in self.gone:
            if seq not in self.asked and at >= self.pruned.get(retention, ""):
                yield seq


class ChainCheck:
    """One check of one workspace's chain, a page at a time."""

    def __init__(self, entries: AuditEntries, workspace_id: str, keys: KeyRing, sealer: Sealer) -> None:
        self._entries = entries
        self._keys = keys
        self._sealer = sealer
        self._chain = AuditChain(workspace_id)
        self._erasures = Erasures([], {}, set())
        self.errors: list[str] = []
        """What is wrong; the first hundred."""

    @property
    def head(self) -> str | None:
        """Hash of the last entry."""
        return self._chain.hash

    async def run(self) -> None:
        end = await self._entries.end()
        if end is not None:
            self._chain = AuditChain(end.workspace_id, end.base, end.base_hash)
        base = self._chain.seq
        while page := await self._entries.after(self._chain.seq, PAGE):
            for row in page:
                self.errors += self._row(row)
            if self._chain.seq - base >= MAX_CHECKED:
                self.errors.append(
                    f"entries after {self._chain.seq} were not checked: there are too many for one export"
                )
                break
            if len(self.errors) >= MAX_ERRORS:
                break
        else:
            self.errors += [f"the content of entry {seq} was removed by nobody" for seq in self._erasures.unexplained()]
            self.errors += self._ending(None if end is None else (end.sequence, end.hash))
            if end is not None and (fault := head_fault(end, self._keys)):
                self.errors.append(fault)
        del self.errors[MAX_ERRORS:]

    def _row(self, row: AuditEventRow) -> Iterator[str]:
        try:
            self._chain.link(link_of(row))
        except VerificationFailed as error:
            yield str(error)
        try:
            payload = payload_of(row, self._sealer)
        except KeyUnusable as error:
            yield f"entry {row.sequence} ({row.event_id}) cannot be opened: {error}"
            return
        if not is_unchanged(row, payload):
            yield f"entry {row.sequence} ({row.event_id}) was changed"
        if row.salt is None:
            self._erasures.gone.append((row.sequence, row.retention, rfc3339(row.timestamp.timestamp())))
        if row.event_type == HEAD_INVALID:
            yield f"entry {row.sequence}: {payload.get('reason')}; entries before it may be missing"
        self._heed(row.event_type, payload)

    def _heed(self, event_type: str, payload: dict[str, Any]) -> None:
        if event_type == PRUNED:
            retention, before = str(payload.get("retention")), str(payload.get("before"))
            self._erasures.pruned[retention] = max(before, self._erasures.pruned.get(retention, ""))
        elif event_type == ERASED_ONE and isinstance(payload.get("sequence"), int):
            self._erasures.asked.add(payload["sequence"])

    def _ending(self, end: tuple[int, str | None] | None) -> Iterator[str]:
        if (self._chain.seq, self._chain.hash) != (end or (0, None)):
            yield f"the log ends with entry {self._chain.seq}, its signed end says {end[0] if end else 0}"
