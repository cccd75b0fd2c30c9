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
    """The tool, as policies call it."""
    agent_id: str
    """Who acts. An agent's own key names that agent only."""
    session_id: str
    """The run that this call belongs to: what it has done so far counts, and its receipts are one chain."""
    tool_args: dict[str, Any] = Field(default_factory=dict)
    """What the tool is to be called with."""
    action_id: str | None = None
    """The same id with the same call gives the same answer; with another call it is refused."""
    operation: str = "call"
    """What is done with the tool, where it can do several things."""
    user_id: str | None = None
    """For whom the agent says it acts. Who is signed in counts; the receipt shows both where they differ."""
    service: str | None = None
    """The service that the call goes through."""
    trigger: str = "manual"
    """What set the run off: `manual`, `cron`, `agent`."""
    runtime: str = "mutx"
    """The program or framework in which the tool runs."""
    parent_action_id: str | None = None
    """The action within which this call is made: it waits while that one waits."""
    depends_on: list[str] = Field(default_factory=list)
    """Actions that have to be allowed before this one is."""
    original_request: str | None = None
    """The words of the user. Taken from the first call of a session only."""
    stated_intent: str | None = None
    """What the agent says it wants, taken with the request."""
    input_preview: str | None = None
    """What led to the call, cut short, for whoever is asked about it."""
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
    """SHA-256 of what was decided, in hexadecimal: approvals and permits hold for exactly that."""
    session_id: str
    seq: int
    """Place of the receipt in the chain of its session, from 1."""
    tool_name: str
    effect: str
    decision: Literal["allow", "deny", "modify", "defer"]
    reason: str
    reason_code: str
    """Why, for programs."""
    rule_id: str | None = None
    rule_name: str | None = None
    policy_version: str
    """Digest of all policies in force that this was decided under."""
    receipt_id: str
    permit: str | None = None
    """What `redeem` takes before the tool runs; only where the call may run."""
    permit_expires_at: str | None = None
    modified_args: dict[str, Any] | None = None
    """What the tool is to be called with instead, where `effect` is `modify`."""
    modifications: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    """What the decision would have had to know, where `effect` is `defer`."""
    critical: list[CriticalValue] = Field(default_factory=list)
    approval: AnswerApproval | None = None
    """What it waits for."""
    replayed: bool = False
    """Whether this was decided before, and is told again."""
    alerts: list[str] = Field(default_factory=list)
    outcome: str | None = None


class ConcludeRequest(Input):
    """What came of an allowed action. `duration_ms`: milliseconds."""

    action_id: str
    status: Literal["executed", "error"]
    """`executed` if the tool ran to its end, `error` if it failed."""
    result: Any = None
    """What the tool gave back: from it come the labels of what the session has read."""
    error: str | None = None
    """What the tool said when it failed."""
    duration_ms: int | None = None
    """How long it ran, in milliseconds."""


class ConcludeAnswer(Schema):
    action_id: str
    receipt_id: str
    status: str
    replayed: bool = False


class GrantRequest(Input):
    """Remember the approval: a standing grant for this agent, tool and rules."""

    ttl_seconds: float = 3600.0
    """How long the grant holds."""
    uses: int = 10
    """How many calls it covers."""


class ResolveRequest(Input):
    request_id: str
    verdict: Literal["approve", "deny", "cancel"]
    comment: str | None = None
    """Why, for the record."""
    grant: GrantRequest | None = None
    """With an approval: cover the next calls of this kind as well."""


class RedeemRequest(Input):
    """A permit and the exact arguments that are about to be executed."""

    permit: str
    """As the decision gave it. It is spent once."""
    tool_args: dict[str, Any]
    """The arguments that are about to be used: the permit holds for these only."""


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
