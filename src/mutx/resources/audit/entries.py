"""From an outbox event to an audit entry: news that is no turn."""

from collections.abc import Mapping
from typing import Any

from mutx.governance.turn import Event
from mutx.kit.canonical import digest
from mutx.kit.clock import to_datetime
from mutx.resources.audit.models import AuditEventRow
from mutx.resources.audit.turns import trace_of


def entry(event: Event) -> AuditEventRow:
    """The entry of one event; the same event always gives the same `event_id`."""
    said = event.payload
    trace = _text(said, "trace_id") or _text(said, "action_id")
    return AuditEventRow(
        event_id=digest([event.topic, event.workspace_id, event.at, said]),
        workspace_id=event.workspace_id,
        event_type=_text(said, "event_type") or event.topic.upper(),
        timestamp=to_datetime(event.at),
        agent_id=_text(said, "agent_id") or "",
        session_id=_text(said, "session_id") or "",
        user_id=_text(said, "user_id"),
        run_id=_text(said, "run_id"),
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
    )


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return str(value) if value else None
