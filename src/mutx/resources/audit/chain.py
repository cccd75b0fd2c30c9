"""The hash chain of audit entries: each covers all its fields and the hash of the entry before it in its workspace."""

from typing import Any

from msgspec import Struct

from mutx.kit.canonical import digest
from mutx.kit.clock import rfc3339
from mutx.resources.audit.models import AuditEventRow

ALGORITHM = "sha256-rfc8785-chain"
"""Of entries; the chains of receipts add an Ed25519 signature to every link (docs/receipt-format.md)."""
SCHEMA_VERSION = "1.0"

UNCOVERED = frozenset({"id", "integrity_hash"})
"""The row's own key, and the hash itself."""


class Head(Struct, frozen=True):
    """The end of a workspace's chain."""

    sequence: int = 0
    hash: str | None = None


def integrity_hash(row: AuditEventRow) -> str:
    """SHA-256 over the canonical form of every other field, 64 hex digits."""
    return digest(_covered(row))


def seal(row: AuditEventRow, head: Head) -> Head:
    """Give `row` its place after `head`; the new head comes back."""
    row.sequence, row.previous_hash = head.sequence + 1, head.hash
    row.integrity_hash = integrity_hash(row)
    return Head(row.sequence, row.integrity_hash)


def check(row: AuditEventRow, head: Head) -> list[str]:
    """What is wrong with `row` as the entry after `head`."""
    errors = []
    if row.sequence != head.sequence + 1:
        errors.append(f"entry {head.sequence + 1} is missing or out of order: entry {row.sequence} comes in its place")
    if row.previous_hash != head.hash:
        errors.append(f"entry {row.sequence} does not link to the one before it")
    if row.integrity_hash != integrity_hash(row):
        errors.append(f"entry {row.sequence} ({row.event_id}) was changed")
    return errors


def _covered(row: AuditEventRow) -> dict[str, Any]:
    fields = {column.key: getattr(row, column.key) for column in AuditEventRow.__table__.columns}
    fields["timestamp"] = rfc3339(row.timestamp.timestamp())
    return {name: value for name, value in fields.items() if name not in UNCOVERED}
