"""From an outbox event to an audit entry: news that is no turn."""

from mutx.governance.turn import Event
from mutx.kit.ids import new_id
from mutx.resources.audit.classes import retention_class
from mutx.resources.audit.models import AuditEventRow
from mutx.services.siem.record import record


def entry(event: Event) -> AuditEventRow:
    """The entry of one event, not in a chain yet; the same event always gives the same `event_id`."""
    told = record(event)
    user_id = event.payload.get("user_id")
    return AuditEventRow(
        id=new_id(),
        event_id=told.event_id,
        workspace_id=event.workspace_id,
        event_type=told.event_type,
        retention=retention_class(told.event_type).value,
        timestamp=told.timestamp,
        agent_id=told.agent_id,
        session_id=told.session_id,
        user_id=str(user_id) if user_id else None,
        run_id=told.run_id,
        trace_id=told.trace_id,
        span_id=told.span_id,
        parent_span_id=told.parent_span_id,
        actor_type=told.actor_type,
        actor_id=told.actor_id,
        actor_display=told.actor_display,
        policy_decision_id=told.policy_decision_id,
        policy_refs=told.policy_refs,
        approval_id=told.approval_id,
    )
