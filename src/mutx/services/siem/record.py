"""An event of the outbox as an audit event: what is stored of news that is no turn, and what a SIEM is sent of anything."""

from collections.abc import Mapping
from typing import Any

from mutx.contract.audit import AuditEvent
from mutx.governance.turn import Event
from mutx.kit.canonical import digest
from mutx.kit.clock import to_datetime
from mutx.kit.ids import is_uuid

TYPES: Mapping[str, str] = {
    "aarm.action": "TOOL_REQUEST",
    "aarm.decision": "POLICY_CHECK",
    "aarm.approval": "APPROVAL",
    "aarm.drift": "DRIFT",
    "aarm.alert": "GUARDRAIL_TRIGGER",
    "aarm.notify": "POLICY_CHECK",
    "aarm.outcome": "TOOL_CALL",
}
"""What the news of a turn is called; other news names its own `event_type`."""


def record(event: Event) -> AuditEvent:
    """The same event always gives the same `event_id`. It has no place in a chain here: `sequence` is 0."""
    said = event.payload
    trace = _text(said, "trace_id") or _text(said, "action_id")
    session_id = _text(said, "session_id")
    return AuditEvent(
        event_id=digest([event.topic, event.workspace_id, event.at, said]),
        event_type=_text(said, "event_type") or TYPES.get(event.topic) or event.topic.upper(),
        timestamp=to_datetime(event.at),
        agent_id=_text(said, "agent_id") or "",
        session_id=session_id or "",
        run_id=_text(said, "run_id") or session_id,
        trace_id=trace_of(trace) if trace else None,
        span_id=_text(said, "span_id"),
        parent_span_id=_text(said, "parent_span_id"),
        actor_type=_text(said, "actor_type") or "agent",
        actor_id=_text(said, "actor_id") or _text(said, "agent_id"),
        actor_display=_text(said, "actor_display"),
        policy_decision_id=_text(said, "receipt_id"),
        policy_refs=[said["policy_version"]] if said.get("policy_version") else [],
        approval_id=_text(said, "request_id"),
        payload=said,
        sequence=0,
    )


def trace_of(action_id: str) -> str:
    """A governed action is its own trace: its UUID without dashes; an id that is no UUID stays as it is."""
    return action_id.replace("-", "") if is_uuid(action_id) and action_id == action_id.lower() else action_id


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return str(value) if value else None
