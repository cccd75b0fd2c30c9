"""Faramesh's HTTP dialect: what its library asks where it has no socket. The decisions are those of every other door."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from mutx.contract.agents import JsonObject
from mutx.contract.base import Input, Schema
from mutx.contract.operation import operation

Name = Annotated[str, Field(max_length=256)]


class FarameshCall(Input):
    """Fields that this server does not know are let pass: the library's versions differ in them."""

    model_config = ConfigDict(extra="ignore")

    agent_id: Name
    tool_id: Annotated[str, Field(min_length=1, max_length=512)]
    """`tool/operation`."""
    args: JsonObject = Field(default_factory=dict)
    session_id: Name | None = None
    call_id: Name | None = None
    """A UUID makes it one call, however often it is asked."""


class FarameshVerdict(Schema):
    call_id: str
    effect: str
    """PERMIT, DENY or DEFER."""
    reason_code: str
    reason: str
    policy_version: str
    receipt_id: str
    retry_permitted: bool
    latency_ms: float
    defer_token: str | None = None
    denial_token: str | None = None
    structured_denial: dict[str, Any] | None = None


class GateCall(Input):
    model_config = ConfigDict(extra="ignore")

    agent_id: Name
    tool: Annotated[str, Field(min_length=1, max_length=256)]
    operation: Name = "invoke"
    params: JsonObject = Field(default_factory=dict)
    context: JsonObject = Field(default_factory=dict)
    """Taken from nobody who asks: it decides nothing."""


class GateVerdict(Schema):
    outcome: str
    """EXECUTE, HALT or ABSTAIN."""
    reason_code: str
    reason: str
    request_hash: str
    """The action's hash."""
    policy_version: str
    provenance_id: str
    """The action's id."""


@operation("POST", "/evaluate", scope="governance:act")
def evaluate_call(body: FarameshCall) -> FarameshVerdict:
    """Decide a tool call of a Faramesh client. What it may not run as it is, is denied."""


@operation("POST", "/gate/decide", scope="governance:act")
def decide_gate(body: GateCall) -> GateVerdict:
    """Decide a tool call of a Faramesh client, in the words of its gate. The decision is recorded like any other."""
