"""Approval requests as the wire shows them. The older spellings of a status are mapped here and nowhere else."""

from collections.abc import Mapping
from datetime import datetime

from mutx.contract.approvals import (
    Approval,
    ApprovalDetail,
    ApprovalLabels,
    ApprovalState,
    ApprovalVote,
    CriticalValue,
    IdentityChain,
    MatchedRule,
    PriorAction,
    StandingGrant,
)
from mutx.governance.context import SessionContext
from mutx.governance.context.session import ActionRecord
from mutx.governance.turn import ActionState, ApprovalRequest, Grant, RequestStatus, Vote
from mutx.governance.types import ArgumentOrigin, Caller, NormalizedAction, RuleRef
from mutx.kit.clock import to_datetime

STATE_OF: Mapping[RequestStatus, ApprovalState] = {
    RequestStatus.PENDING: ApprovalState.PENDING,
    RequestStatus.APPROVED: ApprovalState.APPROVED,
    RequestStatus.DENIED: ApprovalState.REJECTED,
    RequestStatus.CANCELLED: ApprovalState.REJECTED,
    RequestStatus.EXPIRED: ApprovalState.EXPIRED,
}

STATUSES_OF: Mapping[ApprovalState, tuple[RequestStatus, ...]] = {
    state: tuple(status for status, older in STATE_OF.items() if older is state) for state in ApprovalState
}


ASKED_VALUES = 10
"""How many of the values asked about a list shows; `MAX_SHOWN` of `observation` bounds each. The detail has all."""


def lower(status: RequestStatus) -> str:
    """The spelling of `/v1/security`."""
    return status.value.lower()


def remaining(request: ApprovalRequest, now: float) -> int:
    """Whole seconds in which the request can still be answered."""
    if request.status is not RequestStatus.PENDING:
        return 0
    return max(0, int(request.expires_at - now))


def approval(request: ApprovalRequest, state: ActionState, now: float) -> Approval:
    spec, action = request.spec, state.action
    return Approval(
        id=request.id,
        agent_id=request.agent_id,
        session_id=request.session_id,
        action_type=request.tool_name,
        payload=action.tool_args,
        status=STATE_OF[request.status],
        requester=request.user_id,
        approver=request.decided_by,
        created_at=to_datetime(request.created_at),
        resolved_at=_time(request.decided_at),
        comment=_comment(request),
        request_status=request.status.value,
        kind=request.kind.value,
        token=request.token,
        action_id=request.action_id,
        action_hash=request.action_hash,
        reason=request.reason,
        expires_at=to_datetime(request.expires_at),
        remaining_seconds=remaining(request, now),
        reviewers=[*spec.users, *(spec.roles if not spec.users else ())],
        quorum=spec.quorum,
        escalated_at=_time(request.escalated_at),
        votes=[_vote(vote) for vote in request.votes],
        critical=[critical_value(value) for value in state.decision.critical[:ASKED_VALUES]],
    )


def detail(request: ApprovalRequest, state: ActionState, context: SessionContext, now: float) -> ApprovalDetail:
    decision = state.decision
    fields = dict(approval(request, state, now)) | {"critical": [critical_value(one) for one in decision.critical]}
    return ApprovalDetail(
        **fields,
        input_preview=state.action.input_preview,
        original_request=context.original_request,
        stated_intent=context.stated_intent,
        prior_actions=[_prior(record) for record in context.actions if record.id != request.action_id],
        labels=ApprovalLabels(
            confidentiality=context.held_confidentiality.name,
            untrusted_seen=context.holds_untrusted,
            intent=context.intent.value,
            drift=context.drift,
            signals=list(context.signals),
        ),
        identity=_identity(state.action, state.caller),
        matched_rules=[_rule(rule) for rule in decision.matched],
        reason_code=decision.reason_code.value,
        risk=decision.risk.value,
        missing=list(decision.missing),
        depends_on=list(request.depends_on),
        policy_version=decision.policy_version,
    )


def critical_value(value: ArgumentOrigin) -> CriticalValue:
    return CriticalValue(name=value.name, value=value.value, origin=value.origin.name.lower(), source=value.source)


def standing_grant(grant: Grant) -> StandingGrant:
    return StandingGrant(
        id=grant.id,
        agent_id=grant.agent_id,
        tool_name=grant.tool_name,
        rules=list(grant.rules),
        granted_by=grant.granted_by,
        created_at=to_datetime(grant.created_at),
        expires_at=to_datetime(grant.expires_at),
        uses_left=grant.uses_left,
        revoked_at=_time(grant.revoked_at),
    )


def _prior(record: ActionRecord) -> PriorAction:
    return PriorAction(
        id=record.id,
        tool_name=record.tool_name,
        operation=record.operation,
        effect=record.effect.value,
        outcome=record.status.value if record.status else None,
        at=to_datetime(record.timestamp),
    )


def _identity(action: NormalizedAction, caller: Caller) -> IdentityChain:
    return IdentityChain(
        human=action.user_id,
        service=action.service,
        agent=action.agent_id,
        session=action.session_id,
        principal=caller.principal_id,
        method=caller.method,
        roles=list(action.roles),
        scopes=list(action.scopes),
        parent_action_id=action.parent_action_id,
    )


def _rule(rule: RuleRef) -> MatchedRule:
    return MatchedRule(id=rule.id, name=rule.name, policy=rule.policy, effect=rule.effect.value, priority=rule.priority)


def _vote(vote: Vote) -> ApprovalVote:
    return ApprovalVote(
        verdict=vote.verdict.value,
        by=vote.by,
        display=vote.display,
        at=to_datetime(vote.at),
        comment=vote.comment,
        own_request=vote.own_request,
    )


def _comment(request: ApprovalRequest) -> str | None:
    """The last comment; a cancelled request says so, since the older status cannot."""
    said = next((vote.comment for vote in reversed(request.votes) if vote.comment), None)
    if request.status is RequestStatus.CANCELLED:
        return f"cancelled: {said}" if said else "cancelled"
    return said


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else to_datetime(seconds)
