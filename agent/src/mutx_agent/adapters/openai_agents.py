"""OpenAI Agents SDK, by the invoker that every function tool has, or without a change to the program.

    Agent(..., tools=governed_tools([search, pay]))
    mutx_agent.hooks.install("openai_agents")

`on_invoke_tool` is the SDK's own field for what a tool does, and it is where `governed_tools` asks; waiting for people
then counts towards the tool's own timeout. (A tool input guardrail could deny, but neither change arguments nor hear
of the result.) `install` stands around the function that every function tool call goes through: agents, streaming,
agents as tools, hand-offs, MCP servers, realtime sessions, around the invoker of `@function_tool`, which code may call
itself, and around the local executors of shell, patch, custom and computer tools (`_openai_agents_native`).

A denied call comes back to the model as the tool's output, which says why. Changed arguments are parsed and validated
by the tool itself. Tools that the model's provider runs (web and file search, code interpreter, hosted MCP) never
reach this process: no adapter can decide them.
"""

import copy
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from mutx_agent.adapters._common import Gate, ToolUse
from mutx_agent.adapters._openai_agents_native import points
from mutx_agent.adapters._patch import Uninstall, installed, patch, run_aside
from mutx_agent.adapters._probes import probed_by
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

DISTRIBUTION, RUNTIME = "openai-agents", "openai-agents"


def governed_tools(
    tools: Iterable[Any], governor: Governor | None = None, *, deadline: float | None = None
) -> list[Any]:
    """Copies of these function tools that ask before they run. Other kinds of tools are refused with a TypeError."""
    from agents import FunctionTool

    gate = Gate(RUNTIME, governor, deadline)
    governed = []
    for tool in tools:
        if not isinstance(tool, FunctionTool):
            raise TypeError(f"{tool!r} is no function tool: use mutx_agent.hooks.install('openai_agents')")
        asking: Any = copy.copy(tool)
        asking.on_invoke_tool = _asking(gate, tool)
        governed.append(asking)
    return governed


def _asking(gate: Gate, tool: Any) -> Callable[[Any, str], Awaitable[Any]]:
    async def on_invoke_tool(context: Any, arguments: str) -> Any:
        return await gate.arun(
            lambda: _described(tool.name, context, arguments),
            lambda changed: tool.on_invoke_tool(*_with(context, arguments, changed)),
            str,
        )

    return on_invoke_tool


def _described(name: str, context: Any, arguments: str) -> ToolUse:
    """Text that is no JSON object is refused by the tool itself; a policy sees it as it is."""
    return ToolUse(name, parsed(arguments), original_request=_first_request(getattr(context, "turn_input", None)))


def parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments) if arguments else {}
    except ValueError:
        return arguments


def _first_request(items: Any) -> str | None:
    for item in items or []:
        if isinstance(item, dict) and item.get("role") == "user" and isinstance(item.get("content"), str):
            return str(item["content"])
    return None


def _with(context: Any, arguments: str, changed: Json | None) -> tuple[Any, str]:
    """Context and arguments of the call that was allowed."""
    if changed is None:
        return context, arguments
    text = json.dumps(changed)
    if hasattr(context, "tool_arguments"):
        context = copy.copy(context)
        context.tool_arguments = text
    return context, text


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool call of the SDK that runs in this process. Raises HookNotFound."""
    return patch(
        DISTRIBUTION,
        RUNTIME,
        governor,
        {
            "agents.run_internal.tool_execution:_invoke_function_tool_with_metadata": _invoke,
            "agents.tool:_invoke_function_tool_with_metadata": _invoke,
            "agents.tool:_FailureHandlingFunctionToolInvoker.__call__": _call,
            **points(),
        },
    )


def _invoke(original: Any, gate: Gate) -> Any:
    """What the SDK's loops call; a tool's timeout runs inside, so waiting for people is not part of it."""

    async def invoke(*, function_tool: Any, context: Any, arguments: str) -> Any:
        from agents.tool import _FunctionToolInvocationResult

        def execute(changed: Json | None) -> Any:
            inner, text = _with(context, arguments, changed)
            return original(function_tool=function_tool, context=inner, arguments=text)

        return await gate.arun(
            lambda: _described(function_tool.name, context, arguments),
            execute,
            lambda denial: _FunctionToolInvocationResult(str(denial), is_sdk_generated_error=True),
            _note,
            "loop",
        )

    return invoke


def _note(action: Any, answer: Any) -> None:
    if answer.is_sdk_generated_error:
        action.error = str(answer.output)
    else:
        action.result = answer.output


def _call(original: Any, gate: Gate) -> Any:
    """What code calls that runs a tool itself; like any failure of a function tool, a denial is its output there."""

    async def call(self: Any, ctx: Any, input: str) -> Any:  # noqa: A002 - the SDK's name for it
        tool = self._function_tool
        return await gate.arun(
            lambda: _described(tool.name if tool is not None else "unnamed-tool", ctx, input),
            lambda changed: original(self, *_with(ctx, input, changed)),
            str,
            hook="invoker",
        )

    return call


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent with governed tools call one that calls `spy`."""
    _run_agent(governed_tools([_probed(spy)], governor))


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """The same with a plain tool and `install`."""
    with installed(install, governor):
        _run_agent([_probed(spy)])


def _run_agent(tools: list[Any]) -> None:
    from agents import Agent, RunConfig, Runner
    from agents.testing import ScriptedModel, assistant_message, function_call

    model = ScriptedModel([[function_call("probed", {}, call_id="call-1")], [assistant_message("done")]])
    agent = Agent(name="proof", tools=tools, model=model)
    run_aside(lambda: Runner.run(agent, "prove it", run_config=RunConfig(tracing_disabled=True)))


def _probed(spy: Callable[[], None]) -> Any:
    from agents import function_tool

    return function_tool(probed_by(spy))
