"""Approvals: questions put to people about one exact action."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from mutx.contract.base import Input, Limit, Schema, Skip, Timestamp
from mutx.contract.operation import operation


class ApprovalState(StrEnum):
    """This surface's older spelling; `request_status` beside it is exact."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class ApprovalCreate(Input):
    """An action that a person is to look at: `action_type` is the tool's name, `payload` its arguments."""

    agent_id: str = Field(min_length=1, max_length=256)
    session_id: str = Field(min_length=1, max_length=256)
    action_type: str = Field(min_length=1, max_length=256)
    payload: dict[str, Any] = Field(default_factory=dict)


class ApprovalResolve(Input):
    """`approver` may only repeat who is signed in; `grant_*` makes a standing grant of the approval."""

    comment: str | None = Field(default=None, max_length=4000)
    """Why, for the record."""
    approver: str | None = None
    grant_ttl_seconds: float | None = Field(default=None, gt=0, le=86_400 * 30)
    """With an approval: cover the next calls of this kind for so long."""
    grant_uses: int | None = Field(default=None, ge=1, le=10_000)
    """With an approval: cover so many further calls of this kind."""


class CriticalValue(Schema):
    """A critical argument and where its value first appeared."""

    name: str
    value: str
    origin: str
    source: str | None = None


class MatchedRule(Schema):
    id: str
    name: str
    policy: str
    effect: str
    priority: int


class ApprovalVote(Schema):
    verdict: str
    by: str
    display: str = ""
    at: Timestamp
    comment: str = ""
    own_request: bool = False


class Approval(Schema):
    """A request for approval. Times are UTC; `remaining_seconds` is 0 once nobody can answer any more."""

    id: str
    agent_id: str
    session_id: str
    action_type: str
    payload: dict[str, Any] = Field(default_factory=dict)
    status: ApprovalState = ApprovalState.PENDING
    requester: str
    approver: str | None = None
    created_at: Timestamp | None = None
    resolved_at: Timestamp | None = None
    comment: str | None = None
    request_status: str
    kind: str
    token: str
    action_id: str
    action_hash: str
    reason: str
    expires_at: Timestamp
    remaining_seconds: int
    reviewers: list[str] = Field(default_factory=list)
    quorum: int = 1
    escalated_at: Timestamp | None = None
    votes: list[ApprovalVote] = Field(default_factory=list)
    critical: list[CriticalValue] = Field(default_factory=list)
    """The values asked about: the first ten, and in the detail all."""


class PriorAction(Schema):
    id: str
    tool_name: str
    operation: str
    effect: str
    outcome: str | None = None
    at: Timestamp


class ApprovalLabels(Schema):
    """What is known of the data the session holds."""

    confidentiality: str
    untrusted_seen: bool
    intent: str
    drift: float
    signals: list[str] = Field(default_factory=list)
    """What guardrails found in its texts."""


class IdentityChain(Schema):
    """Who is behind the action, from the person down."""

    human: str
    service: str | None = None
    agent: str
    session: str
    principal: str
    method: str
    roles: list[str]
    scopes: list[str]
    parent_action_id: str | None = None


class ApprovalDetail(Approval):
    """All that an approver has to see."""

    input_preview: str | None = None
    original_request: str | None = None
    stated_intent: str | None = None
    prior_actions: list[PriorAction] = Field(default_factory=list)
    labels: ApprovalLabels
    identity: IdentityChain
    matched_rules: list[MatchedRule] = Field(default_factory=list)
    reason_code: str
    risk: str
    missing: list[str] = Field(default_factory=list)
    depends_on: list[str] = Field(default_factory=list)
    policy_version: str


class ApprovalList(Schema):
    items: list[Approval] = Field(default_factory=list)
    total: int
    skip: int
    limit: int
    status: str | None = None
    agent_id: str | None = None


class StandingGrant(Schema):
    """Satisfies what `rules` ask, for one agent and tool, until it expires or is used up."""

    id: str
    agent_id: str
    tool_name: str
    rules: list[str]
    granted_by: str
    created_at: Timestamp
    expires_at: Timestamp
    uses_left: int
    revoked_at: Timestamp | None = None


@operation("GET", "/approvals", scope="approvals:read")
def list_approvals(
    status: ApprovalState | None = None, agent_id: str | None = None, skip: Skip = 0, limit: Limit = 50
) -> ApprovalList:
    """List approval requests, newest first."""


@operation("POST", "/approvals", scope="approvals:act", status=201)
def create_approval(body: ApprovalCreate) -> Approval:
    """Have an action decided with a person in the loop; what policy denies stays denied."""


@operation("GET", "/approvals/stream", scope="approvals:read", stream=True)
def stream_approvals() -> Approval:
    """Follow requests as they open and change."""


@operation("GET", "/approvals/grants", scope="approvals:read")
def list_grants(skip: Skip = 0, limit: Limit = 50) -> list[StandingGrant]:
    """List standing grants, newest first."""


@operation("DELETE", "/approvals/grants/{grant_id}", scope="approvals:write")
def revoke_grant(grant_id: str) -> None:
    """End a standing grant now."""


@operation("GET", "/approvals/{request_id}", scope="approvals:read")
def get_approval(request_id: str) -> ApprovalDetail:
    """Show a request with everything an approver needs to see."""


@operation("GET", "/approvals/{request_id}/stream", scope="approvals:read", stream=True)
def wait_approval(request_id: str, seconds: float = 300.0) -> Approval:
    """Wait for the answer to one request; the stream ends with it."""


@operation("POST", "/approvals/{request_id}/approve", scope="approvals:write")
def approve_approval(request_id: str, body: ApprovalResolve | None = None) -> Approval:
    """Say yes as the person who is signed in."""


@operation("POST", "/approvals/{request_id}/reject", scope="approvals:write")
def reject_approval(request_id: str, body: ApprovalResolve | None = None) -> Approval:
    """Say no as the person who is signed in."""
