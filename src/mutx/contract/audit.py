"""The audit log: who did what. Governed actions are the ledger's receipts; everything else has a chain of its own."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from mutx.contract.base import Input, Limit, Schema, Skip, Timestamp
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
    """`none`, `erased` (by retention or by request), `unreadable` (sealed under a key that the server does not have)."""
    schema_version: str = "1.0"
    previous_hash: str | None = None
    integrity_hash: str | None = None
    sequence: int
    """Place in its chain, from 1."""


class AuditEventType(StrEnum):
    """What agents do, as the product names it. Other events (sign-ins, keys, changes) name themselves likewise."""

    AGENT_START = "AGENT_START"
    LLM_CALL = "LLM_CALL"
    TOOL_CALL = "TOOL_CALL"
    POLICY_CHECK = "POLICY_CHECK"
    GUARDRAIL_TRIGGER = "GUARDRAIL_TRIGGER"
    AGENT_END = "AGENT_END"


class ReportedType(StrEnum):
    """What only the agent's side knows. Tool calls and policy checks are the ledger's to tell."""

    AGENT_START = "AGENT_START"
    LLM_CALL = "LLM_CALL"
    GUARDRAIL_TRIGGER = "GUARDRAIL_TRIGGER"
    AGENT_END = "AGENT_END"


class AuditReport(Input):
    """An event as an agent reports it. It stands in the log as the agent's own words, under the key that brought it."""

    event_type: ReportedType
    agent_id: str = Field(min_length=1, max_length=256)
    session_id: str = Field(default="", max_length=256)
    run_id: str | None = Field(default=None, max_length=256)
    trace_id: str | None = Field(default=None, max_length=256)
    span_id: str | None = Field(default=None, max_length=64)
    parent_span_id: str | None = Field(default=None, max_length=64)
    payload: dict[str, Any] = Field(default_factory=dict)
    """At most 16 KiB of JSON; no prompts and no secrets, but what identifies them."""


class AuditReported(Schema):
    event_id: str


class AuditFormat(StrEnum):
    """How exported records are written, one per line."""

    JSON = "json"
    OCSF = "ocsf"
    """Open Cybersecurity Schema Framework 1.9.0."""
    CEF = "cef"
    """ArcSight Common Event Format."""


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


LINES = "application/jsonl"

RecordLimit = Annotated[int, Field(ge=1, le=10_000, description="How many to export at most.")]


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


@operation("POST", "/audit/events", scope="agents:act", status=201)
def report_audit_event(body: AuditReport) -> AuditReported:
    """Report what only the agent's side knows: that it started or ended, called a model, tripped a guardrail."""


@operation("GET", "/audit/evidence", scope="audit:admin", media_type=LINES)
def export_evidence(
    session_id: str | None = None,
    time_range_start: Timestamp | None = None,
    time_range_end: Timestamp | None = None,
) -> str:
    """Export the log as JSON Lines that verify offline: chain, receipts, signed heads; its exact bytes count.

    Session and time choose the contents and the receipts; the links of the workspace's chain come along whole.
    """


@operation("GET", "/audit/records", scope="audit:read", media_type=LINES)
def export_records(
    format: AuditFormat = AuditFormat.OCSF,  # noqa: A002 - its name on the wire
    agent_id: str | None = None,
    session_id: str | None = None,
    run_id: str | None = None,
    time_range_start: Timestamp | None = None,
    time_range_end: Timestamp | None = None,
    event_type: str | None = None,
    limit: RecordLimit = 1000,
) -> str:
    """Export the newest events that match, oldest first, one per line, for a SIEM."""


@operation("DELETE", "/audit/events/{event_id}", scope="admin", status=204)
def erase_audit_event(event_id: str) -> None:
    """Erase what an event says, or the arguments and results of a governed action; chain and receipts still verify.

    That it was erased, and by whom, is an event itself.
    """
