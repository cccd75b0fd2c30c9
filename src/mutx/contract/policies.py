"""Policies: the documents that decide, their versions, and the dry run."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from mutx.contract.base import Input, Limit, Schema, Skip, Timestamp
from mutx.contract.operation import operation

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
"""Policy names appear in URLs, rule references and receipts."""

MAX_SINCE = 10 * 366 * 86400.0
MAX_DOCUMENT = 8_000_000
"""Characters of one document: room for 10 000 rules with conditions."""


class PolicyKind(StrEnum):
    """`short`: block / allow / warn rules. `set`: a PolicySet document. `fpl`: a document in FPL."""

    SHORT = "short"
    SET = "set"
    FPL = "fpl"


class RuleType(StrEnum):
    BLOCK = "block"
    ALLOW = "allow"
    WARN = "warn"


class RuleScope(StrEnum):
    """What a short rule looks at: text that goes in, text that comes out, or the name of a tool."""

    INPUT = "input"
    OUTPUT = "output"
    TOOL = "tool"


class PolicyVerdict(StrEnum):
    ALLOW = "allow"
    WARN = "warn"
    BLOCK = "block"
    REQUIRE_APPROVAL = "require_approval"


class Rule(Input):
    """One rule of the short form."""

    type: RuleType
    pattern: str = Field(min_length=1, max_length=1000)
    action: str = Field(max_length=1000)
    scope: RuleScope


class PolicyWrite(Input):
    """A policy as it is sent: short rules or a document, not both.

    A document is a PolicySet in YAML or JSON, or FPL: told by its first word, or by `kind: fpl`. What the server sets
    (id, version, any other kind, digest, times) is taken and ignored, so that an answer can be sent back.
    """

    model_config = ConfigDict(str_max_length=MAX_DOCUMENT)

    name: str = Field(pattern=NAME)
    rules: list[Rule] = Field(default_factory=list, max_length=20_000)
    """Short rules, on texts and tools."""
    document: str | None = Field(default=None, max_length=MAX_DOCUMENT)
    """A PolicySet in YAML or JSON, or FPL."""
    enabled: bool = True
    """Whether it is in force."""
    id: str | None = None
    version: int | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    kind: PolicyKind | None = None
    digest: str | None = None


class Policy(Schema):
    """A policy in its present version. `digest` is the SHA-256 of what was compiled."""

    id: str
    name: str
    rules: list[Rule]
    enabled: bool
    version: int
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    kind: PolicyKind
    document: str | None = None
    digest: str


class PolicyVersion(Schema):
    """One version of one policy; versions are never changed or removed."""

    name: str
    version: int
    change: Literal["created", "updated", "deleted"]
    kind: PolicyKind
    enabled: bool
    digest: str
    document: str
    changed_by: str
    created_at: Timestamp


class PolicySnapshotMember(Schema):
    name: str
    version: int
    digest: str


class PolicySnapshotRecord(Schema):
    """What a decision's `policy_version` was made of."""

    policy_version: str
    members: list[PolicySnapshotMember]
    created_at: Timestamp


class PolicyEvaluationContext(Input):
    """What to try. Text rules act on `input` and `output`, the engine on `tool` and `tool_args`."""

    input: str | None = Field(default=None, max_length=1_000_000)
    """A text that goes into an agent."""
    output: str | None = Field(default=None, max_length=1_000_000)
    """A text that comes out of one."""
    tool: str | None = Field(default=None, max_length=256)
    """A tool that would be called."""
    tool_args: dict[str, Any] = Field(default_factory=dict)
    run_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class PolicyRuleMatch(Schema):
    """A rule that had a say. `effect` is the exact one where the rule comes from a PolicySet."""

    policy_id: str
    policy_name: str
    policy_version: int
    rule_type: RuleType
    rule_scope: RuleScope
    pattern: str
    action: str
    rule_id: str
    effect: str


class PolicyEvaluationResult(Schema):
    """The dry run's answer; it leaves no receipt and charges no limit."""

    decision: PolicyVerdict
    reason: str
    matches: list[PolicyRuleMatch] = Field(default_factory=list)
    evaluated_policy_count: int
    run_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    effect: str | None = None
    reason_code: str | None = None
    policy_version: str
    modified_args: dict[str, Any] | None = None
    missing: list[str] = Field(default_factory=list)


class PolicyReload(Schema):
    """What is in force in this workspace after the reload."""

    name: str
    version: int
    policy_version: str


class PolicyLintRequest(Input):
    model_config = ConfigDict(str_max_length=MAX_DOCUMENT)

    document: str = Field(max_length=MAX_DOCUMENT)
    """A PolicySet in YAML or JSON, or FPL."""


class PolicyFinding(Schema):
    """One remark on a document. An `error` keeps it from being applied."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    line: int | None = None
    column: int | None = None
    rule: str | None = None


class PolicyLintResult(Schema):
    valid: bool
    findings: list[PolicyFinding]


class HistoryRequest(Input):
    """A question to what was recorded."""

    since_seconds: float = Field(default=30 * 86400.0, gt=0, le=MAX_SINCE)
    """How far back."""
    agent_id: str | None = Field(default=None, max_length=256)


class BacktestRequest(HistoryRequest):
    """A policy to try on what was recorded; it stands in for the one of its name."""

    model_config = ConfigDict(str_max_length=MAX_DOCUMENT)

    document: str = Field(max_length=MAX_DOCUMENT)
    """A PolicySet in YAML or JSON, or FPL."""
    name: str | None = Field(default=None, pattern=NAME)
    """Of the policy that it stands in for, where the document cannot say so itself: one in FPL."""


class BacktestChange(Schema):
    """Decisions that would be others. `rule`: what decides now, or the reason code."""

    agent_id: str
    tool: str
    before: str
    after: str
    rule: str
    count: int


class BacktestExample(Schema):
    session_id: str
    action_id: str
    at: Timestamp
    change: BacktestChange
    reason: str


class BacktestResult(Schema):
    """What a policy would have decided. Every decision is judged in its session as it really went."""

    policy_version: str
    since: Timestamp
    sessions: int
    turns: int
    decisions: int
    erased: int
    """Decisions whose arguments were erased: they cannot be judged again."""
    changed: int
    stricter: int
    """Of these, how many would have been stopped more than they were."""
    now: dict[str, int]
    """Effect -> decisions under the new policy."""
    changes: list[BacktestChange]
    examples: list[BacktestExample]


class MineRequest(HistoryRequest):
    """What to learn a policy from."""

    name: str = Field(default="mined", pattern=NAME)


class MinedPolicy(Schema):
    """A proposal, and what it would have stopped in sessions that nothing was learned from."""

    document: str
    sessions: int
    calls: int
    refused_sessions: int
    """Left out: a call of theirs was refused."""
    held_out_sessions: int
    held_out_calls: int
    blocked_sessions: int
    blocked_calls: int


class PolicyUpdated(Schema):
    """The data of a `policy_updated` event: first what is in force, then each change.

    `in_force` is false for a policy that was removed or switched off.
    """

    name: str
    version: int
    in_force: bool
    policy_version: str


class SignedPolicies(Schema):
    """The policies in force, signed. `docs/policies.md` says how to check the envelope."""

    revision: int
    """How often the workspace's policies have changed; grows only."""
    policy_version: str
    envelope: str | None = None
    """DSSE, to be checked byte for byte; null when `known` is this revision already."""


Known = Annotated[int, Field(ge=-1, description="The revision you hold; -1: none.")]
WaitSeconds = Annotated[float, Field(ge=0, le=30, description="How long to wait for a newer one.")]


@operation("GET", "/policies", scope="policies:read")
def list_policies(skip: Skip = 0, limit: Limit = 50) -> list[Policy]:
    """List the workspace's policies by name."""


@operation("POST", "/policies", scope="policies:admin", status=201)
def create_policy(body: PolicyWrite) -> Policy:
    """Add a policy. It is compiled first; one that does not compile is refused whole."""


@operation("POST", "/policies/evaluate", scope="policies:read")
def evaluate_policies(body: PolicyEvaluationContext) -> PolicyEvaluationResult:
    """Try the policies in force on a text or a tool call, without a receipt."""


@operation("POST", "/policies/lint", scope="policies:read")
def lint_policy(body: PolicyLintRequest) -> PolicyLintResult:
    """Check a PolicySet or FPL document without storing it."""


@operation("POST", "/policies/backtest", scope="policies:admin")
def backtest_policy(body: BacktestRequest) -> BacktestResult:
    """Decide what was recorded again under another policy; nothing is written."""


@operation("POST", "/policies/mine", scope="policies:admin")
def mine_policy(body: MineRequest) -> MinedPolicy:
    """Propose a least-privilege policy from what agents did, with its false-block rate on sessions held out."""


@operation("GET", "/policies/stream", scope="policies:read", stream=True)
def stream_policies() -> PolicyUpdated:
    """Follow policy changes: an event `policy_updated` for each."""


@operation("GET", "/policies/bundle", scope="policies:read")
def get_policy_bundle(known: Known = -1, wait: WaitSeconds = 0.0) -> SignedPolicies:
    """Pull the policies in force as one signed document; answers when there is a newer one than `known`."""


@operation("GET", "/policies/snapshots/{policy_version}", scope="policies:read")
def get_policy_snapshot(policy_version: str) -> PolicySnapshotRecord:
    """Show which policies a decision's `policy_version` was made of."""


@operation("GET", "/policies/{name}", scope="policies:read")
def get_policy(name: str) -> Policy:
    """Show one policy."""


@operation("PUT", "/policies/{name}", scope="policies:admin")
def put_policy(name: str, body: PolicyWrite) -> Policy:
    """Replace a policy, or add it. In force when this answers."""


@operation("DELETE", "/policies/{name}", scope="policies:admin")
def delete_policy(name: str) -> None:
    """Remove a policy; its versions stay on record."""


@operation("POST", "/policies/{name}/reload", scope="policies:admin")
def reload_policy(name: str) -> PolicyReload:
    """Read the workspace's policies again."""


@operation("GET", "/policies/{name}/versions", scope="policies:read")
def list_policy_versions(name: str, skip: Skip = 0, limit: Limit = 50) -> list[PolicyVersion]:
    """List a policy's versions, newest first."""
