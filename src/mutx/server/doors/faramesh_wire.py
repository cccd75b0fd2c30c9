"""The Faramesh protocol's messages: what its clients send over the socket, and what they understand.

Two forms of one line each: `{"type": "govern", ...}`, answered flat, and JSON-RPC 2.0 with a `method`, answered with a
`result` or an `error`. Clients know three effects, PERMIT, DENY and DEFER, and take anything else for a failure.
"""

from typing import Any

from msgspec import Struct

from mutx.governance.types import Effect
from mutx.kit.errors import InputError, MalformedBody, MutxError
from mutx.kit.ids import is_uuid

Json = dict[str, Any]

GOVERN, POLL, STATUS = "govern", "poll_defer", "status"
KINDS = (GOVERN, POLL, STATUS)
DISPATCH = frozenset({"", "invoke"})
"""What a client calls the operation where the tool has no other: no part of the tool's name."""
MAX_TEXT = 512
RUNTIME = "faramesh"

METHOD_NOT_FOUND, INVALID_REQUEST, INVALID_PARAMS, REFUSED = -32601, -32600, -32602, -32000
"""JSON-RPC 2.0 §5.1, and the first of those left to servers."""

APPROVED, PENDING, DENIED, EXPIRED, UNKNOWN = "approved", "pending", "denied", "expired", "unknown"
RETRY = frozenset({"rate_limited", "dependency_waiting", "too_many_waiting"})
"""Reasons that pass by themselves."""


class Request(Struct, frozen=True, kw_only=True):
    """One line, whichever form it came in."""

    kind: str
    fields: Json
    rpc: bool = False
    number: Any = None
    """Id of a JSON-RPC request."""

    def text(self, name: str) -> str:
        """Raises InputError."""
        value = self.fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise InputError(f"`{name}` must be a text of at most {MAX_TEXT} characters")
        return value

    @property
    def token(self) -> str | None:
        """What the caller shows for itself; an empty one is none."""
        value = self.fields.get("principal_token")
        if not isinstance(value, str | None):
            raise InputError("`principal_token` must be a text")
        return value or None


def read(message: Json) -> Request:
    """Raises MalformedBody for what is in neither form."""
    if "method" in message:
        fields = message.get("params", {})
        if not isinstance(fields, dict) or not isinstance(message["method"], str):
            raise MalformedBody("a JSON-RPC request has a `method` and an object as `params`")
        return Request(kind=message["method"], fields=fields, rpc=True, number=message.get("id"))
    kind = message.get("type")
    if not isinstance(kind, str):
        raise MalformedBody('a request says its "type", or is a JSON-RPC one with a "method"')
    return Request(kind=kind, fields=message)


def call_of(request: Request, agent_id: str, session_id: str) -> Json:
    """A govern request as the body of `decide`. Raises InputError."""
    args = request.fields.get("args", request.fields.get("params", {}))
    if not isinstance(args, dict):
        raise InputError("`args` must be an object")
    tool, operation = tool_of(request)
    body: Json = {
        "tool_name": tool,
        "operation": operation,
        "tool_args": args,
        "agent_id": agent_id,
        "session_id": request.text("session_id") or session_id,
        "runtime": RUNTIME,
    }
    if is_uuid(call_id := request.text("call_id")):
        body["action_id"] = call_id  # the same call again is answered alike; ids that may come again are not ours
    return body


def tool_of(request: Request) -> tuple[str, str]:
    """The name that policies know it by, `tool/operation`, and the operation."""
    tool, operation = request.text("tool") or request.text("tool_id"), request.text("operation")
    if not tool:
        raise InputError("name the `tool`, or the `tool_id`")
    if "operation" not in request.fields:
        bare, _, operation = tool.rpartition("/")
        return (bare, operation) if bare and operation in DISPATCH else (tool, "call")
    return (tool if operation in DISPATCH else f"{tool}/{operation}"), operation or "call"


def verdict(request: Request, answer: Json, seconds: float) -> Json:
    """The answer of `decide` in words that a client acts on rightly."""
    effect = Effect(answer["effect"])
    word = {Effect.ALLOW: "PERMIT"}.get(effect, "DEFER" if effect.waits else "DENY")
    said: Json = {
        "call_id": request.text("call_id") or answer["action_id"],
        "action_id": answer["action_id"],
        "action_hash": answer["action_hash"],
        "effect": word,
        "reason_code": str(answer["reason_code"]).upper(),
        "reason": answer["reason"],
        "policy_version": answer["policy_version"],
        "receipt_id": answer["receipt_id"],
        "latency_ms": round(seconds * 1000, 3),
        "retry_permitted": False,
    }
    if word == "DEFER":
        said["defer_token"] = answer["action_id"]
    if word == "DENY":
        said["retry_permitted"] = answer["reason_code"] in RETRY
        said["denial_token"] = answer["receipt_id"]
        said["structured_denial"] = {
            "reason_code": said["reason_code"],
            "reason": answer["reason"],
            "rule_id": answer["rule_id"],
            "retry_permitted": said["retry_permitted"],
        }
    return said


def cannot_modify(said: Json) -> Json:
    """The policy would have the call run with other arguments, and these clients run the ones they hold."""
    reason = "the policy changes this call's arguments, which this client cannot take; nothing may run"
    denial = {**said["structured_denial"], "reason_code": "MODIFY_UNSUPPORTED", "reason": reason}
    return {**said, "reason_code": "MODIFY_UNSUPPORTED", "reason": reason, "structured_denial": denial}


def done(request: Request, result: Json) -> Json:
    return {"jsonrpc": "2.0", "id": request.number, "result": result} if request.rpc else result


def failed(request: Request | None, error: MutxError) -> Json:
    """An error, which no client takes for a permission."""
    if request is not None and request.rpc:
        code = INVALID_PARAMS if isinstance(error, InputError) else REFUSED
        if request.kind not in KINDS:
            code = METHOD_NOT_FOUND
        told = {"code": code, "message": str(error), "data": {"code": error.code}}
        return {"jsonrpc": "2.0", "id": request.number, "error": told}
    said: Json = {"error": str(error), "code": error.code}
    if request is None or request.kind == POLL:
        return said
    return {**said, "effect": "DENY", "reason_code": error.code.upper(), "retry_permitted": False}
