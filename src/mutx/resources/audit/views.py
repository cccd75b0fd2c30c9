"""Entries as the wire shows them."""

from mutx.contract.audit import AuditEvent
from mutx.kit.errors import KeyUnusable
from mutx.resources.audit.chain import CONTENT, payload_of
from mutx.resources.audit.models import AuditEventRow
from mutx.services.identity.sealing import Sealer

WHOLE, ERASED, UNREADABLE = "none", "erased", "unreadable"
"""What of an entry is missing: nothing, all of its content, or its payload, whose key is not here."""


def audit_event(row: AuditEventRow, sealer: Sealer) -> AuditEvent:
    status, payload = WHOLE, {}
    try:
        payload = payload_of(row, sealer)
    except KeyUnusable:  # one entry that cannot be opened must not hide the others; the check of the chain names it
        status = UNREADABLE
    fields = {
        name: getattr(row, name) for name in (*CONTENT, "timestamp", "previous_hash", "integrity_hash", "sequence")
    }
    return AuditEvent(**fields, payload=payload, redaction_status=ERASED if row.salt is None else status)
