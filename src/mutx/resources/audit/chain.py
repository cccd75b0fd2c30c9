"""Rows of audit entries as links of the workspace's chain (`governance.audit`), and back."""

from typing import Any

import orjson

from mutx.governance.audit.entry import VERSION, AuditLink, commit_content, content_fits
from mutx.governance.audit.head import AuditHead
from mutx.kit.canonical import canonical
from mutx.kit.clock import rfc3339
from mutx.resources.audit.models import AuditChainRow, AuditEventRow
from mutx.services.identity.sealing import Sealer, place

ALGORITHM = "sha256-rfc8785-chain"
"""Of entries; the chains of receipts add an Ed25519 signature to every link (docs/receipt-format.md)."""
SCHEMA_VERSION = "1.0"
ERASED = "ERASED"
"""Type of an entry whose content is gone."""

CONTENT = (
    *("event_id", "event_type", "agent_id", "session_id", "user_id", "run_id", "trace_id", "span_id"),
    *("parent_span_id", "actor_type", "actor_id", "actor_display", "policy_decision_id", "policy_refs", "approval_id"),
)
"""The columns that the commitment covers, beside the payload."""


def link_of(row: AuditEventRow) -> AuditLink:
    return AuditLink(
        v=VERSION,
        workspace=row.workspace_id,
        seq=row.sequence,
        prev=row.previous_hash,
        at=rfc3339(row.timestamp.timestamp()),
        retention=row.retention,
        content=row.content,
    )


def head_of(chain: AuditChainRow, at: float) -> AuditHead:
    """`at`: seconds."""
    return AuditHead(
        v=VERSION,
        workspace=chain.workspace_id,
        at=rfc3339(at),
        seq=chain.sequence,
        hash=chain.hash,
        base=chain.base,
        base_hash=chain.base_hash,
    )


def place_row(row: AuditEventRow, payload: dict[str, Any], salt: bytes, chain: AuditChainRow, sealer: Sealer) -> None:
    """Give `row` its place at the chain's end: seal the payload, commit to the content, link, move the end."""
    row.sealed = sealer.seal(canonical(payload), context=_place(row))
    row.salt, row.content = salt.hex(), commit_content(salt, content_of(row, payload))
    row.sequence, row.previous_hash = chain.sequence + 1, chain.hash
    row.integrity_hash = link_of(row).hash
    chain.sequence, chain.hash = row.sequence, row.integrity_hash


def payload_of(row: AuditEventRow, sealer: Sealer) -> dict[str, Any]:
    """Empty once it was erased. Raises KeyUnusable where the key is missing or the value was altered."""
    if row.sealed is not None:
        found: dict[str, Any] = orjson.loads(sealer.open(row.sealed, context=_place(row)))
        return found
    return row.payload or {}


def content_of(row: AuditEventRow, payload: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in CONTENT} | {"payload": payload}


def is_unchanged(row: AuditEventRow, payload: dict[str, Any]) -> bool:
    """Whether the link's hash is the row's, and its content what the link commits to."""
    link = link_of(row)
    whole = row.salt is None or content_fits(link, row.salt, content_of(row, payload))
    return whole and link.hash == row.integrity_hash


def erase(row: AuditEventRow) -> None:
    """Empty the content. The link stays."""
    for name in CONTENT:
        setattr(row, name, None)
    row.event_id, row.event_type, row.policy_refs = row.integrity_hash, ERASED, []
    row.agent_id = row.session_id = row.actor_type = ""
    row.salt = row.sealed = row.payload = None


def _place(row: AuditEventRow) -> str:
    return place("audit_events", "sealed", row.id)
