"""What the outside is told of each turn: AARM events (R9), shaped from values, without one raw argument or result.

aarm.action     a tool call came in
aarm.decision   what was decided on it, first and at release
aarm.approval   a question was put, voted on, escalated or answered
aarm.drift      the session has moved away from what was asked of it
aarm.alert      a rule warns and the call goes on, or a guardrail found something
aarm.notify     a rule that decided names people who are to hear of it
aarm.outcome    what came of it
audit.approval  a request moved without a turn: a vote short of the quorum, an escalation

Turns are the audit record of governed actions (`resources.audit` reads them from the ledger), so `aarm.*` events are
made only where a sink wants them; `audit.approval` is for the audit log, which has no turn to read.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from mutx.governance.turn import ApprovalRequest, Event, Outcome, RequestStatus, Turn, TurnKind
from mutx.governance.types import IntentSignal
from mutx.kit.clock import rfc3339

DRIFTING = (IntentSignal.DRIFT_SUSPECTED, IntentSignal.DRIFT_CONFIRMED)

SYSTEM = "system"

TOPICS = (
    *(f"aarm.{kind}" for kind in ("action", "decision", "approval", "drift", "alert", "notify", "outcome")),
    "audit.approval",
)


def wanted(topics: frozenset[str] | None, topic: str) -> bool:
    """Whether `topics` names `topic`, or its family with a dot at the end (`audit.`); None names all."""
    return topics is None or topic in topics or f"{topic.partition('.')[0]}." in topics


class TelemetryExporter:
    """Turns become events here; `storage.outbox` carries them to the sinks after the write."""

    def __init__(self, topics: frozenset[str] | None = None) -> None:
        """`topics`: what any sink wants, as `wanted` reads it; nothing else is made."""
        self._wanted = frozenset(topic for topic in TOPICS if wanted(topics, topic))
        self._of_turns = any(topic.startswith("aarm.") for topic in self._wanted)

    def events(self, turn: Turn) -> tuple[Event, ...]:
        """The news of one turn, in order."""
        if not self._of_turns:
            return ()
        return tuple(event for event in _news(turn) if event.topic in self._wanted)

    def request_events(self, request: ApprovalRequest) -> tuple[Event, ...]:
        """The news of a request that moved without a turn: a vote short of the quorum, an escalation."""
        news = _approval(request)
        voted = news.payload["event"] == "voted"
        kind, by = ("person", request.votes[-1].by) if voted else (SYSTEM, SYSTEM)
        more = {"event_type": "APPROVAL", "actor_type": kind, "actor_id": by}
        entry = replace(news, topic="audit.approval", payload=news.payload | more)
        return tuple(event for event in (news, entry) if event.topic in self._wanted)


def turn_payload(turn: Turn) -> dict[str, Any]:
    """One turn in full, as the audit log shows it: what its events say, in one."""
    if turn.outcome is not None:
        return _head(turn) | _outcome(turn.outcome)
    payload = _head(turn) | _action(turn) | _decision(turn) | {"alerts": list(turn.decision.alerts)}
    if turn.requests:
        payload |= {"request_id": turn.requests[0].id, "approvals": [request_payload(each) for each in turn.requests]}
    return payload


def request_payload(request: ApprovalRequest) -> dict[str, Any]:
    """A request without the arguments it is about."""
    return {
        "event": _step(request)[0],
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


def _news(turn: Turn) -> Iterator[Event]:
    if turn.kind is TurnKind.OUTCOME:
        if turn.outcome is not None:
            yield _event("aarm.outcome", turn, _outcome(turn.outcome))
        return
    if turn.facts.noted is not None:
        yield _event("aarm.alert", turn, {"rules": [], "signals": list(turn.facts.noted.signals)})
        return
    if turn.kind is TurnKind.DECISION:
        yield _event("aarm.action", turn, _action(turn))
    yield _event("aarm.decision", turn, _decision(turn))
    if turn.kind is TurnKind.DECISION and turn.decision.notify:
        yield _event("aarm.notify", turn, _decision(turn) | {"notify": list(turn.decision.notify)})
    if turn.kind is TurnKind.DECISION and turn.decision.intent in DRIFTING:
        yield _event("aarm.drift", turn, {"intent": turn.decision.intent.value})
    if turn.kind is TurnKind.DECISION and turn.decision.alerts:
        yield _event("aarm.alert", turn, {"rules": list(turn.decision.alerts)})
    for request in turn.requests:
        yield _approval(request)


def _approval(request: ApprovalRequest) -> Event:
    at = _step(request)[1]
    return Event(topic="aarm.approval", workspace_id=request.workspace_id, at=at, payload=request_payload(request))


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
    return Event(topic=topic, workspace_id=turn.workspace_id, at=turn.at, payload=_head(turn) | more)


def _head(turn: Turn) -> dict[str, Any]:
    action = turn.action
    return {
        "action_id": action.id,
        "session_id": turn.session_id,
        "agent_id": action.agent_id,
        "user_id": action.user_id,
        "tool_name": action.tool_name,
        "seq": turn.seq,
        "receipt_id": turn.receipt.id,
        "parent_action_id": action.parent_action_id,
    }


def _action(turn: Turn) -> dict[str, Any]:
    action = turn.action
    return {
        "operation": action.operation,
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
