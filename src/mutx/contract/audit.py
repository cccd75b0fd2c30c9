"""The audit log: who did what, in order, each entry linked to the one before."""

from typing import Any

from pydantic import Field

from mutx.contract.base import Limit, Schema, Skip, Timestamp
from mutx.contract.operation import operation


class AuditEvent(Schema):
    """One entry. `integrity_hash` covers every other field, `previous_hash` included."""

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


class AuditEvents(Schema):
    events: list[AuditEvent]
    total: int | None = None


class AuditExport(Schema):
    """Entries as evidence. `verified`: the whole chain of the workspace was recomputed and held."""

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
    """List audit events, newest first; without an audit role, only your own."""


@operation("GET", "/audit/export", scope="audit:read")
def export_audit(run_id: str | None = None, session_id: str | None = None) -> AuditExport:
    """Export audit events with the check of their chain."""


@operation("GET", "/audit/traces/{trace_id}", scope="audit:read")
def get_audit_trace(trace_id: str) -> AuditEvents:
    """List the events of one trace, in order."""
