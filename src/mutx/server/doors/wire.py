"""Between JSON and the engine's values: the shapes that every door speaks (`contract/governance.py` documents them)."""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from mutx.contract.governance import OLDER_WORD
from mutx.governance.answer import Answer, Conclusion, GrantSpec, Redemption
from mutx.governance.turn import ApprovalRequest, Outcome, OutcomeStatus, Verdict
from mutx.governance.types import Decision, ToolCall
from mutx.kit.clock import rfc3339
from mutx.kit.errors import InputError

Body = TypeVar("Body", bound=Struct)


class ConcludeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action_id: str
    status: OutcomeStatus
    result: Any = None
    error: str | None = None
    duration_ms: int | None = None


class ResolveBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    request_id: str
    verdict: Verdict
    comment: str | None = None
    grant: GrantSpec | None = None


class RedeemBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    permit: str
    tool_args: dict[str, Any]


class StatusBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action_id: str


class WaitBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action_id: str
    timeout: float = 25.0
    """Seconds until the answer comes even if the action still waits; at most 60."""


def read(body: Any, kind: type[Body]) -> Body:
    """`body` as `kind`, strictly. Raises InputError naming the field."""
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"the body does not fit: {error}") from error


def read_call(body: Any) -> ToolCall:
    call = read(body, ToolCall)
    for name in ("tool_name", "agent_id", "session_id", "operation"):
        value = getattr(call, name)
        if not value or len(value) > MAX_NAME:
            raise InputError(f"`{name}` must have 1 to {MAX_NAME} characters")
    if call.action_id is not None and not 8 <= len(call.action_id) <= MAX_ID:
        raise InputError(f"`action_id` must have 8 to {MAX_ID} characters; a UUID is a good one")
    if len(call.depends_on) > MAX_DEPENDENCIES:
        raise InputError(f"`depends_on` may name at most {MAX_DEPENDENCIES} actions")
    return call


MAX_NAME = 256
MAX_ID = 128
MAX_DEPENDENCIES = 32


def read_outcome(body: ConcludeBody) -> Outcome:
    if body.status not in (OutcomeStatus.EXECUTED, OutcomeStatus.ERROR):
        raise InputError("`status` must be executed or error")
    return Outcome(status=body.status, result=body.result, error=body.error, duration_ms=body.duration_ms)


def request_to_wire(request: ApprovalRequest, now: float) -> dict[str, Any]:
    return {
        "request_id": request.id,
        "token": request.token,
        "kind": request.kind,
        "status": request.status,
        "expires_at": rfc3339(request.expires_at),
        "remaining_seconds": max(0, int(request.expires_at - now)),
        "reason": request.reason,
    }


def reason_to_wire(decision: Decision) -> str:
    """The reason with the values it is about: receipts hold those as commitments, people need to see them."""
    values = "; ".join(f"{one.name} = {one.value!r}" for one in decision.critical)
    return f"{decision.reason}: {values}" if values else decision.reason


def answer_to_wire(answer: Answer, now: float) -> dict[str, Any]:
    decision = answer.decision
    rule = decision.rule
    return {
        "action_id": answer.action_id,
        "action_hash": answer.action_hash,
        "session_id": answer.session_id,
        "seq": answer.seq,
        "tool_name": answer.tool_name,
        "effect": answer.effect,
        "decision": OLDER_WORD[answer.effect],
        "reason": reason_to_wire(decision),
        "reason_code": decision.reason_code,
        "rule_id": rule.id if rule else None,
        "rule_name": rule.name if rule else None,
        "policy_version": decision.policy_version,
        "receipt_id": answer.receipt_id,
        "permit": answer.permit,
        "permit_expires_at": rfc3339(answer.permit_expires_at) if answer.permit_expires_at else None,
        "modified_args": answer.modified_args,
        "modifications": decision.modifications,
        "missing": decision.missing,
        "critical": [
            {"name": c.name, "value": c.value, "origin": c.origin.name.lower(), "source": c.source}
            for c in decision.critical
        ],
        "approval": request_to_wire(answer.request, now) if answer.request else None,
        "replayed": answer.replayed,
        "alerts": decision.alerts,
        "outcome": answer.outcome,
    }


def conclusion_to_wire(conclusion: Conclusion) -> dict[str, Any]:
    return {
        "action_id": conclusion.action_id,
        "receipt_id": conclusion.receipt_id,
        "status": conclusion.status,
        "replayed": conclusion.replayed,
    }


def redemption_to_wire(redemption: Redemption) -> dict[str, Any]:
    return {
        "action_id": redemption.action_id,
        "args_hash": redemption.args_hash,
        "redeemed_at": rfc3339(redemption.redeemed_at),
    }
