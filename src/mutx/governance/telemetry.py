"""What the outside is told of each turn: AARM events (R9), shaped from values, without one raw argument or result.

aarm.action     a tool call came in
aarm.decision   what was decided on it, first and at release
aarm.approval   a question was put, voted on, escalated or answered
aarm.drift      the session has moved away from what was asked of it
aarm.alert      a rule warns; the call goes on
aarm.outcome    what came of it
"""

from typing import Any

from mutx.governance.turn import ApprovalRequest, Event, Outcome, RequestStatus, Turn, TurnKind
from mutx.governance.types import IntentSignal
from mutx.kit.clock import rfc3339

DRIFTING = (IntentSignal.DRIFT_SUSPECTED, IntentSignal.DRIFT_CONFIRMED)


class TelemetryExporter:
    """Turns become events here; `storage.outbox` carries them to the sinks after the write."""

    def events(self, turn: Turn) -> tuple[Event, ...]:
        """The news of one turn, in order."""
        found = []
        if turn.kind is TurnKind.OUTCOME:
            if turn.outcome is not None:
                found.append(_event("aarm.outcome", turn, _outcome(turn.outcome)))
            return tuple(found)
        if turn.kind is TurnKind.DECISION:
            found.append(_event("aarm.action", turn, _action(turn)))
        found.append(_event("aarm.decision", turn, _decision(turn)))
        if turn.kind is TurnKind.DECISION and turn.decision.intent in DRIFTING:
            found.append(_event("aarm.drift", turn, {"intent": turn.decision.intent.value}))
        if turn.kind is TurnKind.DECISION and turn.decision.alerts:
            found.append(_event("aarm.alert", turn, {"rules": list(turn.decision.alerts)}))
        for request in turn.requests:
            found.extend(self.request_events(request))
        return tuple(found)

    def request_events(self, request: ApprovalRequest) -> tuple[Event, ...]:
        """The news of a request that was opened, voted on, escalated or answered."""
        event, at = _step(request)
        payload = {
            "event": event,
            "request_id": request.id,
            "kind": request.kind.value,
            "status": request.status.value,
            "session_id": request.session_id,
            "action_id": request.action_id,
            "agent_id": request.agent_id,
            "user_id": request.user_id,
            "tool_name": request.tool_name,
            "reason": request.reason,
            "roles": list(request.spec.roles),
            "users": list(request.spec.users),
            "escalate_to": list(request.spec.escalate_to),
            "quorum": request.spec.quorum,
            "votes": [{"verdict": vote.verdict.value, "by": vote.by, "at": rfc3339(vote.at)} for vote in request.votes],
            "expires_at": rfc3339(request.expires_at),
            "decided_by": request.decided_by,
        }
        return (Event(topic="aarm.approval", workspace_id=request.workspace_id, at=at, payload=payload),)


def _step(request: ApprovalRequest) -> tuple[str, float]:
    """What just happened to a request, and when."""
    if request.status is not RequestStatus.PENDING:
        return request.status.value.lower(), request.decided_at or request.created_at
    voted = request.votes[-1].at if request.votes else 0.0
    escalated = request.escalated_at or 0.0
    if not request.revision:
        return "requested", request.created_at
    return ("escalated", escalated) if escalated >= voted else ("voted", voted)


def _event(topic: str, turn: Turn, more: dict[str, Any]) -> Event:
    action = turn.action
    payload = {
        "action_id": action.id,
        "session_id": turn.session_id,
        "agent_id": action.agent_id,
        "tool_name": action.tool_name,
        "seq": turn.seq,
        "receipt_id": turn.receipt.id,
        "parent_action_id": action.parent_action_id,
        **more,
    }
    return Event(topic=topic, workspace_id=turn.workspace_id, at=turn.at, payload=payload)


def _action(turn: Turn) -> dict[str, Any]:
    action = turn.action
    return {
        "operation": action.operation,
        "user_id": action.user_id,
        "principal_id": turn.caller.principal_id,
        "principal_kind": turn.caller.kind.value,
        "door": turn.caller.door.value,
        "trigger": action.trigger,
        "runtime": action.runtime,
        "argument_count": len(action.tool_args),
    }


def _decision(turn: Turn) -> dict[str, Any]:
    decision = turn.decision
    return {
        "kind": turn.kind.value,
        "effect": decision.effect.value,
        "reason_code": decision.reason_code.value,
        "reason": decision.reason,
        "rule_id": decision.rule.id if decision.rule else None,
        "policy": decision.rule.policy if decision.rule else None,
        "policy_version": decision.policy_version,
        "risk": decision.risk.value,
        "intent": decision.intent.value,
        "modifications": list(decision.modifications),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"status": outcome.status.value, "duration_ms": outcome.duration_ms, "failed": outcome.error is not None}
