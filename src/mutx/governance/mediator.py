"""From a tool call as an agent sent it to the one form every stage speaks (DESIGN §2, Action)."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from mutx.governance.mediator_meta import resolve_meta
from mutx.governance.tools import ToolSchema
from mutx.governance.types import ActionCategory, Caller, NormalizedAction, Risk, ToolCall
from mutx.kit.canonical import canonical, sha256_hex
from mutx.kit.errors import InputError, PermissionDenied

MAX_DEPTH = 64
MAX_LEAVES = 10_000

Interceptor = Callable[[NormalizedAction, Caller], NormalizedAction | None]
"""Sees every action before it is decided. Raises a MutxError to refuse; returns a replaced action, or None to let it be.

It runs in the decision's path: an interceptor that fails refuses the action.
"""


class ActionMediator:
    """Resolves meta-tools, binds the caller's identity, hashes, and asks the interceptors in their order."""

    def __init__(self, interceptors: Sequence[Interceptor] = ()) -> None:
        self._interceptors = tuple(interceptors)

    def normalize(
        self,
        call: ToolCall,
        caller: Caller,
        *,
        tools: Callable[[str], ToolSchema | None],
        id: str,  # noqa: A002
        now: float,
    ) -> NormalizedAction:
        """Raises InputError for what has no canonical form, PermissionDenied for another agent's name."""
        if caller.agent_id is not None and caller.agent_id != call.agent_id:
            raise PermissionDenied("this key belongs to another agent: name that agent, or use a key of this one")
        resolved = resolve_meta(call.tool_name, call.tool_args, tools)
        user_id = caller.user_id
        action = NormalizedAction(
            id=id,
            tool_name=resolved.tool_name,
            operation=call.operation,
            tool_args=resolved.tool_args,
            agent_id=call.agent_id,
            session_id=call.session_id,
            user_id=user_id,
            service=call.service,
            roles=caller.roles,
            scopes=caller.scopes,
            trigger=call.trigger,
            runtime=call.runtime,
            parent_action_id=call.parent_action_id,
            timestamp=now,
            action_hash=_hash(call, resolved.tool_name, resolved.tool_args, id, user_id),
            workspace_id=caller.workspace_id,
            depends_on=call.depends_on,
            claimed_user_id=None if call.user_id is None or call.user_id == user_id else call.user_id,
            called_as=resolved.called_as,
            meta_error=resolved.error,
            input_preview=call.input_preview,
        )
        return self._intercepted(action, caller) if self._interceptors else action

    def _intercepted(self, action: NormalizedAction, caller: Caller) -> NormalizedAction:
        """What they return is hashed anew: an action's hash is always that of its content."""
        for intercept in self._interceptors:
            action = intercept(action, caller) or action
        return replace(action, action_hash=_hash(action, action.tool_name, action.tool_args, action.id, action.user_id))

    def categorize(self, schema: ToolSchema | None) -> ActionCategory:
        """Static class of a tool (product reference §8). It feeds the precedence and never allows by itself.

        A tool nobody declared is CONTEXT_DEPENDENT_DENY, unlike in the product reference: DESIGN §2 lets no tool run
        for being unknown; what happens to it is the policy's default.
        """
        if schema is None:
            return ActionCategory.CONTEXT_DEPENDENT_DENY
        if schema.risk is Risk.CRITICAL:
            return ActionCategory.FORBIDDEN
        if schema.requires_approval or schema.risk is Risk.HIGH:
            return ActionCategory.CONTEXT_DEPENDENT_DENY
        if schema.risk is Risk.MEDIUM:
            return ActionCategory.CONTEXT_DEPENDENT_ALLOW
        return ActionCategory.PERMIT


class _Hashed(Struct, frozen=True, kw_only=True, gc=False):
    """What `action_hash` covers. Text and null beside the arguments, so its sorted members are RFC 8785 (a test holds it)."""

    id: str
    tool_name: str
    operation: str
    tool_args: Raw
    agent_id: str
    session_id: str
    user_id: str
    service: str | None
    trigger: str
    runtime: str
    parent_action_id: str | None


_HASHED = msgspec.json.Encoder(order="sorted")


def _hash(
    call: ToolCall | NormalizedAction, tool_name: str, tool_args: dict[str, Any], action_id: str, user_id: str
) -> str:
    """SHA-256 over the RFC 8785 form of the identifying fields; not of the time, roles or previews (DESIGN §2)."""
    args = canonical(tool_args)
    hashed = _Hashed(
        id=action_id,
        tool_name=tool_name,
        operation=call.operation,
        tool_args=Raw(args),
        agent_id=call.agent_id,
        session_id=call.session_id,
        user_id=user_id,
        service=call.service,
        trigger=call.trigger,
        runtime=call.runtime,
        parent_action_id=call.parent_action_id,
    )
    try:
        data = _HASHED.encode(hashed)
    except UnicodeEncodeError as error:
        raise InputError("a text in this action holds a lone surrogate; send valid Unicode") from error
    # The bytes bound what can be in them, so only large or bracketed calls are walked; a level has two brackets.
    if len(args) > 2 * MAX_DEPTH and (len(data) > 2 * MAX_LEAVES or args.count(b"{") + args.count(b"[") > MAX_DEPTH):
        _check_size(tool_args)
    return sha256_hex(data)


def _check_size(value: Any) -> None:
    level, depth, leaves = [value], 0, 0
    while level:
        depth += 1
        inner = [item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer)]
        level = [item for item in inner if isinstance(item, dict | list | tuple)]
        leaves += len(inner) - len(level)
        if depth > MAX_DEPTH or leaves > MAX_LEAVES or len(level) > MAX_LEAVES:
            raise InputError(
                f"tool_args may be at most {MAX_DEPTH} levels deep and hold at most {MAX_LEAVES} values: send less"
            )
