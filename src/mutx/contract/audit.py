"""The audit log: who did what. Governed actions are the ledger's receipts; everything else has a chain of its own."""

from typing import Any, Literal

from pydantic import Field

from mutx.contract.base import Limit, Schema, Skip, Timestamp
from mutx.contract.operation import operation


class AuditEvent(Schema):
    """One event, linked to the one before it in its chain: `previous_hash` is the `integrity_hash` of that one.

    Of a governed action (`policy_decision_id` is set) these are the hashes of signed receipts, chained per session, and
    `event_id` is the receipt's id. Other events are chained per workspace; there `integrity_hash` covers every field.
    """

    event_id: str
    agent_id: str
    session_id: str
    run_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    event_type: str
    payload: dict[str, Any]
    timestamp: Timestamp
    trace_id: str | None = None
    actor_type: str = "agent"
    actor_id: str | None = None
    actor_display: str | None = None
    policy_decision_id: str | None = None
    policy_refs: list[str] = Field(default_factory=list)
    approval_id: str | None = None
    cost_record: dict[str, Any] | None = None
    redaction_status: str = "none"
    schema_version: str = "1.0"
    previous_hash: str | None = None
    integrity_hash: str | None = None
    sequence: int
    """Place in its chain, from 1."""


class AuditLag(Schema):
    """Stands in the stream where events were left out: read them from `/audit/events`, from `since` on."""

    lagged: Literal[True] = True
    since: Timestamp


class AuditEvents(Schema):
    events: list[AuditEvent]
    total: int | None = None


class AuditExport(Schema):
    """Events as evidence. `verified`: every chain they stand in was recomputed and held, signatures included.

    `chain_root` is the head of the session's receipts; without a session, of the workspace's other events.
    """

    schema_version: str
    algorithm: str
    run_id: str | None = None
    session_id: str | None = None
    event_count: int
    chain_root: str | None = None
    verified: bool
    errors: list[str]
    events: list[AuditEvent]


@operation("GET", "/audit/events", scope="audit:read")
def list_audit_events(
    agent_id: str | None = None,
    session_id: str | None = None,
    run_id: str | None = None,
    time_range_start: Timestamp | None = None,
    time_range_end: Timestamp | None = None,
    event_type: str | None = None,
    limit: Limit = 100,
    skip: Skip = 0,
) -> AuditEvents:
    """List audit events, newest first; without an audit role, only your own. `skip` reaches 10 000 events back."""


@operation("GET", "/audit/export", scope="audit:read")
def export_audit(run_id: str | None = None, session_id: str | None = None) -> AuditExport:
    """Export audit events with the check of their chains."""


@operation("GET", "/audit/stream", scope="audit:read", stream=True)
def stream_audit_events(after: Timestamp | None = None) -> AuditEvent | AuditLag:
    """Follow audit events as they happen; `after` begins with those from that moment on."""


@operation("GET", "/audit/traces/{trace_id}", scope="audit:read")
def get_audit_trace(trace_id: str) -> AuditEvents:
    """List the events of one trace, in order."""
