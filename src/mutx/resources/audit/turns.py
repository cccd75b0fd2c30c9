"""A turn of the ledger as an audit event: nothing is copied, the receipt's chain is the record."""

from collections.abc import Mapping
from uuid import UUID

from mutx.contract.audit import AuditEvent, AuditEventType
from mutx.governance.telemetry import SYSTEM, turn_payload
from mutx.governance.turn import Turn, TurnKind
from mutx.kit.clock import to_datetime
from mutx.services.siem.record import trace_of
from mutx.storage.views import decided_by

EVENT_TYPES: Mapping[TurnKind, str] = {
    TurnKind.DECISION: AuditEventType.POLICY_CHECK.value,
    TurnKind.RESOLUTION: "APPROVAL",
    TurnKind.OUTCOME: AuditEventType.TOOL_CALL.value,
}
"""Product §13 names the first and the last; APPROVAL is ours."""

KINDS: Mapping[str, TurnKind] = {event_type: kind for kind, event_type in EVENT_TYPES.items()}


def turn_event(turn: Turn) -> AuditEvent:
    """`event_id` is the receipt's id, the hashes are the receipt's and that of the one before it in its session.

    A session is the run that its calls belong to: what starts a run opens a session of the same name.
    """
    action, request = turn.action, turn.requests[0] if turn.requests else None
    actor_type, actor_id = _actor(turn)
    return AuditEvent(
        event_id=turn.receipt.id,
        agent_id=action.agent_id,
        session_id=turn.session_id,
        run_id=turn.session_id,
        event_type=EVENT_TYPES[turn.kind],
        payload=turn_payload(turn),
        timestamp=to_datetime(turn.at),
        trace_id=trace_of(action.id),
        actor_type=actor_type,
        actor_id=actor_id,
        policy_decision_id=turn.receipt.id,
        policy_refs=_refs(turn),
        approval_id=request.id if request else None,
        previous_hash=turn.prev,
        integrity_hash=turn.receipt.hash,
        sequence=turn.seq,
    )


def actions_of(trace_id: str) -> tuple[str, ...]:
    """The action ids that may have this trace id; an action id itself is taken as well."""
    try:
        return tuple(dict.fromkeys((trace_id, str(UUID(hex=trace_id)))))
    except ValueError:
        return (trace_id,)


def _actor(turn: Turn) -> tuple[str, str]:
    """The agent; of a resolution, who answered."""
    if turn.kind is not TurnKind.RESOLUTION:
        return "agent", turn.action.agent_id
    by = decided_by(turn) or SYSTEM
    return (SYSTEM if by == SYSTEM else "person"), by


def _refs(turn: Turn) -> list[str]:
    """The policy version, the rule that decided, the rules that warned."""
    decision = turn.decision
    rule = (f"{decision.rule.policy}/{decision.rule.id}",) if decision.rule else ()
    return [decision.policy_version, *rule, *decision.alerts]
