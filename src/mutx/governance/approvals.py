"""Approvals and deferrals: one request, one state machine, no I/O.

    PENDING -> APPROVED | DENIED | EXPIRED | CANCELLED

A request asks about one exact action (its hash). It is answered once, and its answer is good for that action only:
the pipeline judges the action again before it runs, so an approval lifts the rules that asked and nothing else.
"""

from msgspec.structs import replace

from mutx.governance.limits import forbidden
from mutx.governance.turn import ApprovalRequest, RequestKind, RequestStatus, Verdict, Vote
from mutx.governance.types import (
    ApprovalSpec,
    Caller,
    Decision,
    Effect,
    Facts,
    LimitedVerb,
    NormalizedAction,
    PrincipalKind,
)
from mutx.kit.errors import AlreadyResolved, PermissionDenied
from mutx.kit.ids import new_id, new_token

PEOPLE = (PrincipalKind.PERSON, PrincipalKind.API_KEY)
"""An API key is a person's; an agent's key is not, and never approves."""

STATUS_OF = {
    Verdict.APPROVE: RequestStatus.APPROVED,
    Verdict.CONTEXT: RequestStatus.APPROVED,
    Verdict.DENY: RequestStatus.DENIED,
    Verdict.CANCEL: RequestStatus.CANCELLED,
    Verdict.EXPIRE: RequestStatus.EXPIRED,
}


class ApprovalService:
    """Opens requests and moves them. Every method takes a request and returns the next one."""

    def __init__(self, default: ApprovalSpec | None = None) -> None:
        """`default` serves decisions that wait without saying who is to answer."""
        self._default = default or ApprovalSpec()

    def open(self, action: NormalizedAction, decision: Decision, facts: Facts, seq: int) -> ApprovalRequest:
        """The question that a waiting decision puts."""
        spec = decision.approval or self._default
        escalates_at = None
        if spec.escalate_after is not None and spec.escalate_after < spec.timeout:
            escalates_at = facts.now + spec.escalate_after
        return ApprovalRequest(
            id=new_id(),
            token=new_token(),
            kind=RequestKind.STEP_UP if decision.effect is Effect.STEP_UP else RequestKind.DEFER,
            status=RequestStatus.PENDING,
            workspace_id=action.workspace_id,
            session_id=action.session_id,
            action_id=action.id,
            action_hash=action.action_hash,
            tool_name=action.tool_name,
            agent_id=action.agent_id,
            user_id=action.user_id,
            reason=decision.reason,
            asks=decision.asks,
            spec=spec,
            created_at=facts.now,
            expires_at=facts.now + spec.timeout,
            escalates_at=escalates_at,
            depends_on=facts.waiting_on,
            depth=facts.depth,
            order=seq,
            satisfied=facts.satisfied,
        )

    def check(self, request: ApprovalRequest, verdict: Verdict, caller: Caller, now: float, *, own: bool) -> None:
        """Whether `caller` may give `verdict` now. `own`: the workspace lets people approve their own agents' calls.

        Raises AlreadyResolved or PermissionDenied.
        """
        if request.status is not RequestStatus.PENDING:
            raise AlreadyResolved(f"this request is {request.status}; nothing is left to decide")
        if now >= request.expires_at:
            raise AlreadyResolved("this request has expired; the agent has to ask again")
        if caller.kind not in PEOPLE:
            raise PermissionDenied("only people approve; sign in as a person with `mutx login`")
        if verdict is Verdict.CANCEL and caller.user_id == request.user_id:
            return
        if forbidden(caller.limits, LimitedVerb.APPROVE, request.agent_id, request.tool_name) is not None:
            raise PermissionDenied("a permission of this workspace keeps you from answering this; ask another reviewer")
        if not self._reviews(request, caller):
            raise PermissionDenied("you are not among the reviewers of this request")
        if verdict is Verdict.APPROVE and caller.user_id == request.user_id and not own:
            raise PermissionDenied("you cannot approve what an agent asks in your own name; ask another reviewer")
        if any(vote.by == caller.user_id for vote in request.votes):
            raise AlreadyResolved("you have voted on this request; another reviewer has to")

    def vote(self, request: ApprovalRequest, vote: Vote) -> ApprovalRequest:
        """Count a vote: one denial decides, approvals decide when they reach the quorum."""
        votes = (*request.votes, vote)
        approvals = sum(v.verdict is Verdict.APPROVE for v in votes)
        if vote.verdict is Verdict.APPROVE and approvals < request.spec.quorum:
            return replace(request, votes=votes, revision=request.revision + 1)
        return replace(
            request,
            votes=votes,
            status=STATUS_OF[vote.verdict],
            decided_at=vote.at,
            decided_by=vote.by,
            revision=request.revision + 1,
        )

    def escalate(self, request: ApprovalRequest, now: float) -> ApprovalRequest:
        """Let the escalation roles answer as well."""
        return replace(request, escalated_at=now, escalates_at=None, revision=request.revision + 1)

    def _reviews(self, request: ApprovalRequest, caller: Caller) -> bool:
        spec = request.spec
        roles = spec.roles if request.escalated_at is None else spec.roles + spec.escalate_to
        if caller.user_id in spec.users or (caller.email and caller.email in spec.users):
            return True
        if spec.users and request.escalated_at is None:
            return False
        return "ADMIN" in caller.roles or any(role in roles for role in caller.roles)
