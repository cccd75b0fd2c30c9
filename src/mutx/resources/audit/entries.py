"""From an outbox event to an audit entry."""

from collections.abc import Mapping
from typing import Any

from mutx.governance.turn import Event
from mutx.kit.canonical import digest
from mutx.kit.clock import to_datetime
from mutx.resources.audit.models import AuditEventRow

EVENT_TYPES: Mapping[str, str] = {
    "aarm.action": "TOOL_REQUEST",
    "aarm.decision": "POLICY_CHECK",
    "aarm.outcome": "TOOL_CALL",
    "aarm.approval": "APPROVAL",
    "aarm.drift": "GUARDRAIL_TRIGGER",
    "aarm.alert": "GUARDRAIL_TRIGGER",
}
"""Product §13 names AGENT_START, LLM_CALL, TOOL_CALL, POLICY_CHECK, GUARDRAIL_TRIGGER, AGENT_END; APPROVAL and
TOOL_REQUEST are ours, as is what other slices put into `event_type` of their `audit.*` events."""

SYSTEM = "system"


def entry(event: Event) -> AuditEventRow:
    """The entry of one event; the same event always gives the same `event_id`."""
    said = event.payload
    actor_type, actor_id = _actor(event)
    return AuditEventRow(
        event_id=digest([event.topic, event.workspace_id, event.at, said]),
        workspace_id=event.workspace_id,
        event_type=event_type(event),
        timestamp=to_datetime(event.at),
        agent_id=_text(said, "agent_id") or "",
        session_id=_text(said, "session_id") or "",
        user_id=_text(said, "user_id"),
        run_id=_text(said, "run_id"),
        trace_id=trace_of(_text(said, "trace_id") or _text(said, "action_id")),
        span_id=_text(said, "span_id"),
        parent_span_id=_text(said, "parent_span_id"),
        actor_type=actor_type,
        actor_id=actor_id,
        actor_display=_text(said, "actor_display"),
        policy_decision_id=_text(said, "receipt_id"),
        policy_refs=_refs(said),
        approval_id=_text(said, "request_id"),
        payload=said,
    )


def event_type(event: Event) -> str:
    """An event that nobody mapped is kept under its topic, so nothing is lost."""
    return EVENT_TYPES.get(event.topic) or str(event.payload.get("event_type") or event.topic.upper())


def trace_of(name: str | None) -> str | None:
    """A trace id as it is stored: a governed action is its own trace, its UUID written without dashes."""
    return name.replace("-", "").lower() if name else None


def _actor(event: Event) -> tuple[str, str | None]:
    said = event.payload
    if named := _text(said, "actor_type"):
        return named, _text(said, "actor_id")
    if event.topic == "aarm.approval" and said.get("votes"):
        by = str(said["votes"][-1]["by"])
        return (SYSTEM if by == SYSTEM else "person"), by
    if event.topic == "aarm.approval" and said.get("event") == "escalated":
        return SYSTEM, SYSTEM
    return "agent", _text(said, "agent_id")


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return str(value) if value else None


def _refs(said: Mapping[str, Any]) -> list[str]:
    """The policy version, the rule that decided, the rules that warned."""
    rule = f"{said.get('policy')}/{said['rule_id']}" if said.get("rule_id") else None
    return [str(ref) for ref in (said.get("policy_version"), rule, *said.get("rules", ())) if ref]
