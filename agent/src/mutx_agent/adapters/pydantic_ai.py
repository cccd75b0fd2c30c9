"""Pydantic AI, by a capability that wraps tool execution, or without a change to the program.

    Agent(model, capabilities=[GovernCapability()])
    mutx_agent.hooks.install("pydantic_ai")

A denied call comes back to the model as a failed tool result (`ToolFailed`, which spends no retries) that says why.
Changed arguments go through the tool's validation again, its own `args_validator` included. `install` stands in
`ToolManager._raw_execute`, beneath all capabilities, where the arguments are the ones the toolset gets: agents,
streaming, delegated agents, realtime sessions and calls through `ctx.tool_manager` all pass it. Output functions are
answers of a run and no tools; they are not decided. A tool's Python function called directly is just a function:
govern it with `@govern`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from mutx_agent.adapters._common import Gate, ToolUse, when_asked_for
from mutx_agent.adapters._patch import Uninstall, installed, patch, run_aside
from mutx_agent.adapters._probes import probed_by
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json
from mutx_agent.values import describe

RUNTIME = "pydantic-ai"


def _described(name: str, args: Any, context: Any) -> ToolUse:
    """Validated values as the JSON that they came from: dates, models and the like included."""
    from pydantic_core import to_jsonable_python

    prompt = getattr(context, "prompt", None)
    return ToolUse(
        name,
        to_jsonable_python(args, fallback=describe),
        original_request=prompt if isinstance(prompt, str) else None,
    )


async def _validated(manager: Any, call: Any, context: Any, changed: Json) -> Any:
    """The call with these arguments, through the framework's validation. Raises its own errors for the model."""
    checked = await manager.validate_tool_call(
        replace(call, args=changed), approved=context.tool_call_approved, metadata=context.tool_call_metadata
    )
    if checked.validation_error is not None or checked.deferral is not None:
        raise checked.validation_error or checked.deferral
    return checked


def _failed(denial: ActionDenied) -> Any:
    from pydantic_ai.exceptions import ToolFailed

    return ToolFailed(str(denial))


def _refuse(denial: ActionDenied) -> Any:
    raise _failed(denial) from denial


@cache
def _capability() -> Any:
    from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering

    class GovernCapability(AbstractCapability[Any]):
        """Every tool call of the agent is decided first. Innermost: what it sees is what runs, each retry by itself."""

        def __init__(self, governor: Governor | None = None, *, deadline: float | None = None) -> None:
            self._gate = Gate(RUNTIME, governor, deadline)

        def get_ordering(self) -> Any:
            return CapabilityOrdering(position="innermost")

        async def wrap_tool_execute(self, ctx: Any, *, call: Any, tool_def: Any, args: Any, handler: Any) -> Any:
            async def execute(changed: Json | None) -> Any:
                if changed is None:
                    return await handler(args)
                return await handler((await _validated(ctx.tool_manager, call, ctx, changed)).validated_args)

            return await self._gate.arun(lambda: _described(call.tool_name, args, ctx), execute, _refuse, _note)

    return GovernCapability


__getattr__ = when_asked_for(__name__, GovernCapability=_capability)


def _note(action: Any, answer: Any) -> None:
    from pydantic_ai.messages import ToolReturn
    from pydantic_core import to_jsonable_python

    value = answer.return_value if isinstance(answer, ToolReturn) else answer
    action.result = to_jsonable_python(value, fallback=describe)


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool call of Pydantic AI in this process. Raises HookNotFound."""
    return patch(
        "pydantic-ai-slim", RUNTIME, governor, {"pydantic_ai.tool_manager:ToolManager._raw_execute": _raw_execute}
    )


def _raw_execute(original: Any, gate: Gate) -> Any:
    async def raw_execute(self: Any, validated: Any, **options: Any) -> Any:
        call, context = validated.call, validated.ctx
        if validated.tool.tool_def.kind == "output":
            return await original(self, validated, **options)

        async def execute(changed: Json | None) -> Any:
            allowed = validated if changed is None else await _validated(self, call, context, changed)
            return await original(self, allowed, **options)

        def refuse(denial: ActionDenied) -> Any:
            failed = _failed(denial)
            if options.get("wrap_validation_errors", True):
                failed = self._wrap_error_as_failed(call.tool_name, call, failed)
            raise failed from denial

        return await gate.arun(
            lambda: _described(call.tool_name, validated.validated_args, context), execute, refuse, _note
        )

    return raw_execute


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent with GovernCapability call a tool that calls `spy`."""
    _run_agent(spy, [_capability()(governor)])


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """The same with a plain agent and `install`."""
    with installed(install, governor):
        _run_agent(spy, [])


def _run_agent(spy: Callable[[], None], capabilities: list[Any]) -> None:
    from pydantic_ai import Agent
    from pydantic_ai.models.test import TestModel

    agent: Any = Agent(TestModel(), tools=[probed_by(spy)], capabilities=capabilities)
    run_aside(lambda: agent.run("prove it"))
