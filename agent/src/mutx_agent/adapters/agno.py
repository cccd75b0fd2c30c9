"""Agno, by its tool hooks, or without a change to the program.

    Agent(..., tool_hooks=[tool_hook()])
    mutx_agent.hooks.install("agno")

`install` stands in `FunctionCall.execute` and `aexecute`, which agents, teams, workflows, hand-offs to team members and
tools that code runs lead to. A denied call comes back to the model as a failed one that says why. Changed arguments go
through the function's own validation. Put the tool hook last, so that it sees what will be executed.
"""

import inspect
from collections.abc import Callable
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse, raised
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.adapters._probes import probed_by, replaced
from mutx_agent.adapters._streams import PartsCall, Wrap, arun_parts, run_parts
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "agno"


def tool_hook(governor: Governor | None = None, *, deadline: float | None = None) -> Callable[..., Any]:
    """One hook for both ways of running: Agno leaves out coroutine hooks where it runs synchronously."""
    gate = Gate(RUNTIME, governor, deadline)

    def govern_tool_call(function_name: str, function_call: Any, arguments: dict[str, Any]) -> Any:
        def execute(changed: Json | None) -> Any:
            return function_call(**_in_place(function_name, arguments, changed))

        call = PartsCall(lambda: ToolUse(function_name, dict(arguments)), execute, raised, _conclude)
        return arun_parts(gate, call) if inspect.iscoroutinefunction(function_call) else run_parts(gate, call)

    return govern_tool_call


def _in_place(name: str, arguments: dict[str, Any], changed: Json | None) -> dict[str, Any]:
    """Agno runs a function with the call's own dictionary, whatever a hook passes on."""
    if changed is not None:
        if not arguments:
            raise ActionDenied(
                "the policy gave arguments to a call that has none", reason_code="cannot_modify", tool_name=name
            )
        arguments.clear()
        arguments.update(changed)
    return arguments


def _conclude(action: GovernedAction, answer: Any, rest: Wrap) -> Any:
    if _in_parts(answer):
        return rest(answer)
    action.result = answer
    return answer


def _in_parts(answer: Any) -> bool:
    return inspect.isgenerator(answer) or inspect.isasyncgen(answer)


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every function call of Agno in this process. Raises HookNotFound."""
    points = {
        "agno.tools.function:FunctionCall.execute": _execute,
        "agno.tools.function:FunctionCall.aexecute": _aexecute,
    }
    return patch(RUNTIME, RUNTIME, governor, points)


def _execute(original: Any, gate: Gate) -> Any:
    def execute(self: Any) -> Any:
        return run_parts(gate, _parts(self, original))

    return execute


def _aexecute(original: Any, gate: Gate) -> Any:
    async def aexecute(self: Any) -> Any:
        return await arun_parts(gate, _parts(self, original))

    return aexecute


def _parts(call: Any, original: Any) -> PartsCall:
    return PartsCall(
        lambda: ToolUse(call.function.name, dict(call.arguments or {})),
        lambda changed: original(_with(call, changed)),
        lambda denial: _refusal(call, denial),
        lambda action, outcome, rest: _concluded(call, action, outcome, rest),
    )


def _with(call: Any, changed: Json | None) -> Any:
    if changed is not None:
        call.arguments = dict(changed)
    return call


def _refusal(call: Any, denial: ActionDenied) -> Any:
    from agno.tools.function import FunctionExecutionResult

    call.error = str(denial)
    return FunctionExecutionResult(status="failure", error=str(denial))


def _concluded(call: Any, action: GovernedAction, outcome: Any, rest: Wrap) -> Any:
    if outcome.status != "success":
        action.error = outcome.error or "failed"
    elif _in_parts(outcome.result):
        same = call.result is outcome.result
        outcome.result = rest(outcome.result)
        if same:
            call.result = outcome.result
    else:
        action.result = outcome.result
    return outcome


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have Agno execute a function with the tool hook that calls `spy`."""
    _execute_probed(spy, [tool_hook(governor)])


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have Agno execute a function that calls `spy`, with nothing but `install`."""
    with installed(install, governor):
        _execute_probed(spy, None)


def _execute_probed(spy: Callable[[], None], hooks: Any) -> None:
    from agno.tools.function import Function, FunctionCall
    from agno.utils import log

    function = Function.from_callable(probed_by(spy))
    function.tool_hooks = hooks
    with replaced(log.logger, disabled=True):  # it prints whole tracebacks of refused calls
        FunctionCall(function=function, arguments={}).execute()
