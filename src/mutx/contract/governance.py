"""The hot verbs: decide, resolve, conclude, redeem, and their batch forms (<= 100 items, answered in order)."""

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field

from mutx.contract.approvals import CriticalValue
from mutx.contract.base import Input, Schema
from mutx.contract.operation import operation
from mutx.governance.types import Effect

T = TypeVar("T")

MAX_BATCH = 100

OLDER_WORD: Mapping[Effect, Literal["allow", "deny", "modify", "defer"]] = {
    Effect.ALLOW: "allow",
    Effect.DENY: "deny",
    Effect.MODIFY: "modify",
    Effect.STEP_UP: "defer",
    Effect.DEFER: "defer",
}
"""Older clients know four words; there `defer` is whatever waits."""


class DecideRequest(Input):
    """A tool call. `action_id` makes the decision idempotent; without one the server makes it."""

    tool_name: str
    agent_id: str
    session_id: str
    tool_args: dict[str, Any] = Field(default_factory=dict)
    action_id: str | None = None
    operation: str = "call"
    user_id: str | None = None
    service: str | None = None
    trigger: str = "manual"
    runtime: str = "mutx"
    parent_action_id: str | None = None
    depends_on: list[str] = Field(default_factory=list)
    original_request: str | None = None
    stated_intent: str | None = None
    input_preview: str | None = None
    delegation: str | None = None
    """The token of a delegation: then only what it covers, and what each agent that handed it on may do itself, is allowed."""


class AnswerApproval(Schema):
    """The question an action waits for."""

    request_id: str
    token: str
    kind: str
    status: str
    expires_at: str
    remaining_seconds: int
    reason: str


class DecideAnswer(Schema):
    """The decision. `decision` knows four words (`defer`: it waits); `effect` is exact."""

    action_id: str
    action_hash: str
    session_id: str
    seq: int
    tool_name: str
    effect: str
    decision: Literal["allow", "deny", "modify", "defer"]
    reason: str
    reason_code: str
    rule_id: str | None = None
    rule_name: str | None = None
    policy_version: str
    receipt_id: str
    permit: str | None = None
    permit_expires_at: str | None = None
    modified_args: dict[str, Any] | None = None
    modifications: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    critical: list[CriticalValue] = Field(default_factory=list)
    approval: AnswerApproval | None = None
    replayed: bool = False
    alerts: list[str] = Field(default_factory=list)
    outcome: str | None = None


class ConcludeRequest(Input):
    """What came of an allowed action. `duration_ms`: milliseconds."""

    action_id: str
    status: Literal["executed", "error"]
    result: Any = None
    error: str | None = None
    duration_ms: int | None = None


class ConcludeAnswer(Schema):
    action_id: str
    receipt_id: str
    status: str
    replayed: bool = False


class GrantRequest(Input):
    """Remember the approval: a standing grant for this agent, tool and rules."""

    ttl_seconds: float = 3600.0
    uses: int = 10


class ResolveRequest(Input):
    request_id: str
    verdict: Literal["approve", "deny", "cancel"]
    comment: str | None = None
    grant: GrantRequest | None = None


class RedeemRequest(Input):
    """A permit and the exact arguments that are about to be executed."""

    permit: str
    tool_args: dict[str, Any]


class RedeemAnswer(Schema):
    action_id: str
    args_hash: str
    redeemed_at: str


class Batch(Input, Generic[T]):
    items: list[T] = Field(max_length=MAX_BATCH)


class BatchError(Schema):
    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class BatchResult(Schema, Generic[T]):
    """One item's answer: `ok` or `error`."""

    ok: T | None = None
    error: BatchError | None = None


class BatchResults(Schema, Generic[T]):
    results: list[BatchResult[T]]


@operation("POST", "/governance/decide", scope="governance:act")
def decide(body: DecideRequest) -> DecideAnswer:
    """Decide a tool call before it runs."""


@operation("POST", "/governance/conclude", scope="governance:act")
def conclude(body: ConcludeRequest) -> ConcludeAnswer:
    """Report what came of an allowed action."""


@operation("POST", "/governance/resolve", scope="approvals:write")
def resolve(body: ResolveRequest) -> DecideAnswer:
    """Answer a waiting action as the person who is signed in."""


@operation("POST", "/governance/redeem", scope="governance:act")
def redeem(body: RedeemRequest) -> RedeemAnswer:
    """Spend a permit, once, for exactly these arguments."""


@operation("GET", "/governance/actions/{action_id}", scope="governance:read")
def get_action(action_id: str) -> DecideAnswer:
    """Show where an action stands."""


@operation("GET", "/governance/actions/{action_id}/wait", scope="governance:read", stream=True)
def wait_action(action_id: str, timeout: float = 25.0) -> DecideAnswer:
    """Wait while an action waits: events `pending` and `resolved`; ends with the latter."""


@operation("POST", "/governance/decide/batch", scope="governance:act")
def decide_batch(body: Batch[DecideRequest]) -> BatchResults[DecideAnswer]:
    """Decide several tool calls, in order."""


@operation("POST", "/governance/conclude/batch", scope="governance:act")
def conclude_batch(body: Batch[ConcludeRequest]) -> BatchResults[ConcludeAnswer]:
    """Report several outcomes, in order."""


@operation("POST", "/governance/resolve/batch", scope="approvals:write")
def resolve_batch(body: Batch[ResolveRequest]) -> BatchResults[DecideAnswer]:
    """Answer several waiting actions, in order."""


@operation("POST", "/governance/redeem/batch", scope="governance:act")
def redeem_batch(body: Batch[RedeemRequest]) -> BatchResults[RedeemAnswer]:
    """Spend several permits, in order."""
