"""The tools of the OpenAI Agents SDK that are no function tools and run in this process.

Shell, local shell, patches, custom tools and computers each have an executor of their own. It is wrapped for the one
call, so that approvals, hooks and tracing of the SDK stay as they are. A denial is the tool's failure where the SDK has
one; a computer has none, so there it ends the run.
"""

import copy
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, is_dataclass, replace
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse, raised
from mutx_agent.errors import ActionDenied
from mutx_agent.transport.base import Json

Executor = Callable[..., Any]


def points() -> Mapping[str, Callable[[Any, Gate], Any]]:
    """What `install` replaces besides the function tools."""
    module = "agents.run_internal.tool_actions"
    return {
        f"{module}:ShellAction.execute": _shell,
        f"{module}:LocalShellAction.execute": _local_shell,
        f"{module}:ApplyPatchAction.execute": _apply_patch,
        f"{module}:CustomToolAction.execute": _custom,
        f"{module}:ComputerAction._execute_action_and_capture": _computer,
    }


def _swapped(original: Any, field: str, guard: Callable[[Any, Any], None]) -> Any:
    """`execute` with a copy of the call's tool, to which `guard(tool, copy)` has given guarded executors."""

    async def execute(cls: Any, **options: Any) -> Any:
        call = options["call"]
        tool = getattr(call, field)
        guarded = copy.copy(tool)
        guard(tool, guarded)
        return await original(cls, **{**options, "call": replace(call, **{field: guarded})})

    return execute


async def _awaited(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


def _asking(
    gate: Gate,
    name: str,
    executor: Executor,
    args_of: Callable[[Any], Any],
    changed_request: Callable[[Any, Json], Any],
    refuse: Callable[[ActionDenied], Any] = raised,
) -> Callable[[Any], Awaitable[Any]]:
    """An executor that asks first."""

    async def ask(request: Any) -> Any:
        def execute(changed: Json | None) -> Any:
            return _awaited(executor(request if changed is None else changed_request(request, changed)))

        return await gate.arun(lambda: ToolUse(name, args_of(request)), execute, refuse, _note)

    return ask


def _note(action: GovernedAction, answer: Any) -> None:
    """Results of shells and editors are dataclasses of the SDK."""
    if getattr(answer, "status", None) == "failed":
        action.error = str(getattr(answer, "output", None) or "the tool failed")
    else:
        action.result = asdict(answer) if is_dataclass(answer) and not isinstance(answer, type) else answer


def _shell(original: Any, gate: Gate) -> Any:
    def changed_request(request: Any, changed: Json) -> Any:
        from agents.run_internal.tool_execution import coerce_shell_call

        data = coerce_shell_call({"call_id": request.data.call_id, "action": changed})  # type: ignore[arg-type,unused-ignore]
        return replace(request, data=replace(request.data, action=data.action))

    def guard(tool: Any, guarded: Any) -> None:
        if tool.executor is not None:
            guarded.executor = _asking(gate, tool.name, tool.executor, lambda r: _given(r.data.action), changed_request)

    return _swapped(original, "shell_tool", guard)


def _given(action: Any) -> Json:
    """A dataclass's fields that say something."""
    return {name: value for name, value in asdict(action).items() if value is not None}


def _local_shell(original: Any, gate: Gate) -> Any:
    def changed_request(request: Any, changed: Json) -> Any:
        action = type(request.data.action).model_validate({"type": "exec", "env": {}, **changed})
        return replace(request, data=request.data.model_copy(update={"action": action}))

    def guard(tool: Any, guarded: Any) -> None:
        def args_of(request: Any) -> Json:
            dumped: Json = request.data.action.model_dump(mode="json", exclude_none=True)
            return dumped

        # The SDK lets an exception of this executor end the run, so the model is told by its output.
        guarded.executor = _asking(gate, tool.name, tool.executor, args_of, changed_request, str)

    return _swapped(original, "local_shell_tool", guard)


class GuardedEditor:
    """An editor whose every operation is decided by itself: `{type, path, diff, move_to}`."""

    def __init__(self, gate: Gate, name: str, editor: Any) -> None:
        self._gate, self._name, self._editor = gate, name, editor

    def create_file(self, operation: Any) -> Awaitable[Any]:
        return self._ask(self._editor.create_file, operation)

    def update_file(self, operation: Any) -> Awaitable[Any]:
        return self._ask(self._editor.update_file, operation)

    def delete_file(self, operation: Any) -> Awaitable[Any]:
        return self._ask(self._editor.delete_file, operation)

    def _ask(self, edit: Executor, operation: Any) -> Awaitable[Any]:
        return _asking(self._gate, self._name, edit, _operation_args, _changed_operation)(operation)


def _operation_args(operation: Any) -> Json:
    fields = ("type", "path", "diff", "move_to")
    return {name: value for name in fields if (value := getattr(operation, name, None)) is not None}


def _changed_operation(operation: Any, changed: Json) -> Any:
    from agents.run_internal.tool_execution import coerce_apply_patch_operation

    if changed.get("type") != operation.type:
        raise _cannot_modify("the policy changed what kind of operation a patch is")
    return coerce_apply_patch_operation({"operation": changed}, context_wrapper=operation.ctx_wrapper)


def _apply_patch(original: Any, gate: Gate) -> Any:
    def guard(tool: Any, guarded: Any) -> None:
        guarded.editor = GuardedEditor(gate, tool.name, tool.editor)

    return _swapped(original, "apply_patch_tool", guard)


def _custom(original: Any, gate: Gate) -> Any:
    """Custom tools take a text; a policy sees it as `{"input": text}`."""

    def guard(tool: Any, guarded: Any) -> None:
        async def invoke(context: Any, text: str) -> Any:
            def changed_text(_: str, changed: Json) -> str:
                if set(changed) != {"input"} or not isinstance(changed["input"], str):
                    raise _cannot_modify(f"{tool.name} takes one text, called input")
                return str(changed["input"])

            def run(given: str) -> Any:
                return tool.on_invoke_tool(context, given)

            return await _asking(gate, tool.name, run, lambda given: {"input": given}, changed_text)(text)

        guarded.on_invoke_tool = invoke

    return _swapped(original, "custom_tool", guard)


def _computer(original: Any, gate: Gate) -> Any:
    """One decision for the actions of one call, before the first of them."""

    async def execute_and_capture(cls: Any, computer: Any, tool_call: Any) -> Any:
        def execute(changed: Json | None) -> Any:
            if changed is not None:
                raise _cannot_modify("the actions of a computer cannot be changed")
            return original(cls, computer, tool_call)

        def describe() -> ToolUse:
            payloads = [cls._serialize_action_payload(action) for action in cls._iter_actions(tool_call)]
            return ToolUse(cls.TRACE_TOOL_NAME, {"actions": payloads})

        return await gate.arun(describe, execute, raised)

    return execute_and_capture


def _cannot_modify(why: str) -> ActionDenied:
    return ActionDenied(why, reason_code="cannot_modify")
