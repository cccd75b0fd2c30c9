"""The security surface that existing clients speak: evaluate, approvals, receipts, sessions, compliance, metrics."""

from typing import Any

from pydantic import Field

from mutx.contract.base import Input, Limit, Page, Schema, Skip, Timestamp
from mutx.contract.operation import operation

EXPORT_TYPE = "application/vnd.mutx.receipts+json"


class ActionEvaluateRequest(Input):
    tool_name: str = Field(min_length=1, max_length=256)
    tool_args: dict[str, Any] = Field(default_factory=dict)
    agent_id: str = Field(min_length=1, max_length=256)
    session_id: str = Field(min_length=1, max_length=256)
    user_id: str | None = None
    trigger: str = "manual"
    runtime: str = "mutx"


class ActionEvaluateResponse(Schema):
    """`decision` knows four words (`defer`: it waits); `effect` is exact. `permit` is there while the call may run."""

    decision: str
    rule_id: str | None = None
    rule_name: str | None = None
    reason: str
    would_modify: bool = False
    action_id: str
    action_hash: str
    effect: str
    reason_code: str
    permit: str | None = None
    permit_expires_at: str | None = None
    modified_args: dict[str, Any] | None = None
    receipt_id: str
    policy_version: str
    approval: "SecurityApproval | None" = None


class SecurityApprovalCreate(Input):
    tool_name: str = Field(min_length=1, max_length=256)
    tool_args: dict[str, Any] = Field(default_factory=dict)
    agent_id: str = Field(min_length=1, max_length=256)
    session_id: str = Field(min_length=1, max_length=256)
    user_id: str | None = None
    reason: str = Field(default="", max_length=2000)
    """What the person who is asked should know."""
    timeout_minutes: int = Field(default=5, ge=1, le=60)
    """How long the question stands; then it is denied."""


class SecurityApproval(Schema):
    """`token` names the request and grants nothing; `status` is lower-case here."""

    request_id: str
    token: str
    status: str
    tool_name: str
    reason: str
    created_at: str
    expires_at: str
    remaining_seconds: int
    kind: str
    action_id: str


class SecurityApprovalAction(Input):
    """`reviewer` may only repeat who is signed in: the reviewer is the authenticated principal."""

    reviewer: str = ""
    comment: str = Field(default="", max_length=4000)


class SecurityApprovalOutcome(Schema):
    status: str
    request_id: str


class ReceiptView(Schema):
    """A receipt with the values that lie beside it. An erased value is null and named in `erased`."""

    receipt_id: str = ""
    action_id: str = ""
    action_hash: str = ""
    session_id: str = ""
    tool_name: str = ""
    tool_args: dict[str, Any] | None = None
    agent_id: str = ""
    user_id: str = ""
    policy_decision: str = ""
    policy_rule_id: str | None = None
    policy_rule_name: str | None = None
    decision_reason: str = ""
    outcome: str = ""
    outcome_detail: str = ""
    timestamp: str = ""
    duration_ms: int | None = None
    signature: str | None = None
    signed_by: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    effect: str
    kind: str
    sequence: int
    modified_args: dict[str, Any] | None = None
    result: Any = None
    erased: list[str] = Field(default_factory=list)
    receipt_hash: str
    envelope: dict[str, Any]


class SessionReceipts(Schema):
    session_id: str
    count: int
    receipts: list[ReceiptView] = Field(default_factory=list)


class PublicKeyRecord(Schema):
    """A JSON Web Key (RFC 8037) that receipts are signed with; times and `reason` are ours."""

    kty: str
    crv: str
    kid: str
    x: str
    created_at: str | None = None
    retired_at: str | None = None
    revoked_at: str | None = None
    reason: str | None = None


class PublicKeys(Schema):
    """A JWK set: save it, and `mutx receipts verify --keys` reads it."""

    keys: list[PublicKeyRecord]


class ConformanceEntry(Schema):
    """One requirement of one `numbering`; `evidence` says what each probe saw."""

    requirement_id: str
    level: str
    description: str
    satisfied: bool
    details: str
    timestamp: str
    numbering: str
    evidence: list[str] = Field(default_factory=list)


class ComplianceReport(Schema):
    """A technical self-assessment: what probes of this very build proved, not a certificate."""

    overall_satisfied: bool
    version: str
    checked_at: str
    summary: dict[str, Any]
    results: list[ConformanceEntry]
    statement: str


class SecurityMetrics(Schema):
    """Counts of this workspace. `avg_latency_ms` is this process's mean decision time since it started."""

    total_evaluations: int
    permits: int
    denials: int
    defers: int
    pending_approvals: int
    intent_drifts: int
    active_sessions: int
    avg_latency_ms: float
    decisions_per_minute: int
    decisions_per_hour: int


class SessionCreated(Schema):
    session_id: str
    agent_id: str
    created_at: str


class SessionSummary(Schema):
    session_id: str
    agent_id: str
    duration_seconds: float = 0.0
    total_actions: int = 0
    permits: int = 0
    denials: int = 0
    defers: int = 0
    errors: int = 0
    intent_alignment: str = "unknown"
    user_id: str = ""
    original_request: str | None = None
    closed: bool = False
    head: str = ""
    receipts: int = 0


class SessionItem(Schema):
    """A session as a list shows it. `updated_at`: its last turn."""

    session_id: str
    agent_id: str
    user_id: str = ""
    receipts: int
    permits: int
    denials: int
    defers: int
    errors: int
    created_at: Timestamp
    updated_at: Timestamp
    closed: bool


class SessionClosed(Schema):
    session_id: str
    status: str


@operation("POST", "/security/actions/evaluate", scope="security:act")
def evaluate_action(body: ActionEvaluateRequest) -> ActionEvaluateResponse:
    """Decide a tool call for real: it leaves a receipt, and may ask a person."""


@operation("POST", "/security/approvals/request", scope="security:act", status=201)
def request_security_approval(body: SecurityApprovalCreate) -> SecurityApproval:
    """Have an action decided with a person in the loop."""


@operation("GET", "/security/approvals", scope="security:read")
def list_security_approvals(skip: Skip = 0, limit: Limit = 50) -> list[SecurityApproval]:
    """List pending requests, newest first."""


@operation("GET", "/security/approvals/{request_id}", scope="security:read")
def get_security_approval(request_id: str) -> SecurityApproval:
    """Show a request by id or token."""


@operation("POST", "/security/approvals/{token}/approve", scope="approvals:write")
def approve_security_approval(token: str, body: SecurityApprovalAction) -> SecurityApprovalOutcome:
    """Say yes as the person who is signed in."""


@operation("POST", "/security/approvals/{token}/deny", scope="approvals:write")
def deny_security_approval(token: str, body: SecurityApprovalAction) -> SecurityApprovalOutcome:
    """Say no as the person who is signed in."""


@operation("GET", "/security/receipts/export", scope="security:read", media_type=EXPORT_TYPE)
def export_session_receipts(session_id: str, values: bool = True) -> str:
    """Export a session's receipts as a file that verifies offline; its exact bytes count.

    With `values`, what the receipts commit to (arguments, results) comes along where it was not erased.
    """


@operation("GET", "/security/receipts/session/{session_id}", scope="security:read")
def list_session_receipts(session_id: str, limit: Limit = 100, after: Skip = 0) -> SessionReceipts:
    """List a session's receipts in order."""


@operation("GET", "/security/receipts/{receipt_id}", scope="security:read")
def get_receipt(receipt_id: str) -> ReceiptView:
    """Show one receipt and the values beside it."""


@operation("GET", "/security/keys", scope="security:read")
def list_public_keys() -> PublicKeys:
    """List the public keys that verify receipts."""


@operation("GET", "/security/compliance", scope="security:read")
def get_compliance() -> ComplianceReport:
    """Run the AARM probes against this build and report what they proved."""


@operation("GET", "/security/metrics", scope="security:read")
def get_security_metrics() -> SecurityMetrics:
    """Count decisions, approvals and sessions of this workspace."""


@operation("GET", "/security/metrics/prometheus", scope="security:read", media_type="text/plain")
def get_security_prometheus() -> str:
    """The same counts as Prometheus text."""


@operation("POST", "/security/sessions", scope="security:act")
def create_security_session(
    session_id: str,
    agent_id: str,
    user_id: str | None = None,
    original_request: str | None = None,
    stated_intent: str | None = None,
) -> SessionCreated:
    """Open a session with the user's request; later calls of the session cannot change it."""


@operation("GET", "/security/sessions", scope="security:read")
def list_security_sessions(
    agent_id: str | None = None, active: bool | None = None, skip: Skip = 0, limit: Limit = 50
) -> Page[SessionItem]:
    """List sessions, the newest first. `active`: those that are not closed, or those that are."""


@operation("GET", "/security/sessions/{session_id}", scope="security:read")
def get_security_session(session_id: str) -> SessionSummary:
    """Summarise a session."""


@operation("DELETE", "/security/sessions/{session_id}", scope="security:act")
def close_security_session(session_id: str) -> SessionClosed:
    """Close a session: it decides nothing more."""
