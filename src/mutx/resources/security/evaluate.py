"""Calls and answers as `/v1/security` spells them."""

from mutx.contract.governance import OLDER_WORD
from mutx.contract.security import (
    ActionEvaluateRequest,
    ActionEvaluateResponse,
    SecurityApproval,
    SecurityApprovalCreate,
)
from mutx.governance.answer import Answer
from mutx.governance.turn import ApprovalRequest
from mutx.governance.types import ToolCall
from mutx.kit.clock import rfc3339
from mutx.resources.approvals.views import lower, remaining


def evaluated_call(body: ActionEvaluateRequest) -> ToolCall:
    """Without an action id: the server makes one, so every request of this surface is a new action."""
    return ToolCall(
        tool_name=body.tool_name,
        tool_args=body.tool_args,
        agent_id=body.agent_id,
        session_id=body.session_id,
        user_id=body.user_id,
        trigger=body.trigger,
        runtime=body.runtime,
    )


def asked_call(body: SecurityApprovalCreate) -> ToolCall:
    """`reason` is what the agent says; the approver sees it as the action's preview."""
    return ToolCall(
        tool_name=body.tool_name,
        tool_args=body.tool_args,
        agent_id=body.agent_id,
        session_id=body.session_id,
        user_id=body.user_id,
        input_preview=body.reason or None,
    )


def evaluate_answer(answer: Answer, now: float) -> ActionEvaluateResponse:
    decision = answer.decision
    return ActionEvaluateResponse(
        decision=OLDER_WORD[answer.effect],
        rule_id=decision.rule.id if decision.rule else None,
        rule_name=decision.rule.name if decision.rule else None,
        reason=decision.reason,
        would_modify=answer.modified_args is not None,
        action_id=answer.action_id,
        action_hash=answer.action_hash,
        effect=answer.effect.value,
        reason_code=decision.reason_code.value,
        permit=answer.permit,
        permit_expires_at=rfc3339(answer.permit_expires_at) if answer.permit_expires_at is not None else None,
        modified_args=answer.modified_args,
        receipt_id=answer.receipt_id,
        policy_version=decision.policy_version,
        approval=approval_view(answer.request, now) if answer.request else None,
    )


def approval_view(request: ApprovalRequest, now: float) -> SecurityApproval:
    return SecurityApproval(
        request_id=request.id,
        token=request.token,
        status=lower(request.status),
        tool_name=request.tool_name,
        reason=request.reason,
        created_at=rfc3339(request.created_at),
        expires_at=rfc3339(request.expires_at),
        remaining_seconds=remaining(request, now),
        kind=request.kind.value,
        action_id=request.action_id,
    )
