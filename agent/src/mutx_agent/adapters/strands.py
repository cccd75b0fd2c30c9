"""Strands Agents, by middleware of the stage that executes tools, or without a change to the program.

    agent.add_middleware(ExecuteToolStage, tool_middleware())
    mutx_agent.hooks.install("strands")

A denied call comes back to the model as a tool result of status `error` that says why. Changed arguments go through
the tool's own validation. `install` stands around the function that runs every tool an agent executes (concurrent,
sequential, background, `agent.tool.name()`, agents as tools, graphs and swarms, MCP tools), and around decorated tools
that code calls like functions; there ActionDenied is raised. A retry that a hook asks for is a call of its own.
"""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, Step, ToolUse, failing_closed, raised
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.adapters._probes import probed_by
from mutx_agent.adapters._streams import inside
from mutx_agent.arguments import CallShape
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

DISTRIBUTION, RUNTIME = "strands-agents", "strands"

Events = AsyncIterator[Any]


def tool_middleware(governor: Governor | None = None, *, deadline: float | None = None) -> Callable[..., Events]:
    """A handler for `agent.add_middleware(ExecuteToolStage, ...)`; add it last, so that it sees what will run."""
    gate = Gate(RUNTIME, governor, deadline)

    async def govern_tool(context: Any, next_fn: Callable[[Any], Events]) -> Events:
        async for event in _decided(gate, context, next_fn, ""):
            yield event

    return govern_tool


async def _decided(gate: Gate, context: Any, run: Callable[[Any], Events], hook: str) -> Events:
    """The events of a tool that was allowed, or one event that says that it was not run."""
    from strands.types._events import ToolResultEvent

    try:
        stack = AsyncExitStack()
        with failing_closed():
            step = gate.step(lambda: _described(context), hook)
            if step.action is not None:
                step.action.ambient = False
                await stack.enter_async_context(step.action)
        async with stack:
            async for event in _steps(step, run(_with(context, step))):
                if step.action is not None and isinstance(event, ToolResultEvent):
                    _note(step.action, event.tool_result)
                yield event
    except ActionDenied as denial:
        content = [{"text": str(denial)}]
        refused = {"toolUseId": str(context.tool_use.get("toolUseId")), "status": "error", "content": content}
        yield ToolResultEvent(refused, exception=denial)  # type: ignore[arg-type,unused-ignore]


async def _steps(step: Step, events: Events) -> Events:
    while True:
        with inside(step):
            try:
                event = await anext(events)  # type: ignore[arg-type,unused-ignore]
            except StopAsyncIteration:
                return
        yield event


def _described(context: Any) -> ToolUse:
    use = context.tool_use
    messages = getattr(context.agent, "messages", None) or []
    texts = [part["text"] for message in messages[:1] for part in message.get("content", []) if "text" in part]
    return ToolUse(use["name"], use.get("input") or {}, original_request=" ".join(texts) or None)


def _with(context: Any, step: Step) -> Any:
    if step.action is None or not step.action.permission.modified:
        return context
    return context.replace(tool_use={**context.tool_use, "input": step.action.args})


def _note(action: GovernedAction, result: Any) -> None:
    texts = [part["text"] for part in result.get("content", []) if "text" in part]
    if result.get("status") == "error":
        action.error = " ".join(texts) or "the tool failed"
    else:
        action.result = " ".join(texts) if len(texts) == len(result.get("content", [])) else result.get("content")


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool that Strands runs in this process. Raises HookNotFound."""
    points = {
        "strands.tools.executors._executor:_run_tool": _run_tool,
        "strands.tools.decorator:DecoratedFunctionTool.__call__": _call,
    }
    return patch(DISTRIBUTION, RUNTIME, governor, points)


def _run_tool(original: Any, gate: Gate) -> Any:
    async def run_tool(ctx: Any, *args: Any, **options: Any) -> Events:
        if ctx.tool is None:
            run = original(ctx, *args, **options)
        else:
            run = _decided(gate, ctx, lambda allowed: original(allowed, *args, **options), "executor")
        async for event in run:
            yield event

    return run_tool


def _call(original: Any, gate: Gate) -> Any:
    """A decorated tool that code calls like a function; the executor calls the function itself."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = CallShape(self._tool_func).bind(args, kwargs)

        def describe() -> ToolUse:
            return ToolUse(self.tool_name, bound.sent, {"trigger": "tool"})

        def again(changed: Json | None) -> Any:
            if changed is None:
                return original(self, *args, **kwargs)
            allowed, named = bound.arguments(changed)
            return original(self, *allowed, **named)

        if inspect.iscoroutinefunction(self._tool_func):
            return gate.arun(describe, again, raised, hook="call")
        return gate.run(describe, again, raised, hook="call")

    return call


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent with the middleware run a tool that calls `spy`."""
    from strands.middleware import ExecuteToolStage

    agent = _agent(spy)
    agent.add_middleware(ExecuteToolStage, tool_middleware(governor))
    agent("prove it")


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """The same with a plain agent and `install`."""
    with installed(install, governor):
        _agent(spy)("prove it")


def _agent(spy: Callable[[], None]) -> Any:
    from strands import Agent, tool
    from strands.models import Model

    class ProofModel(Model):
        """Asks for the tool, and has nothing to ask for once it has its result."""

        def update_config(self, **model_config: Any) -> None:
            return

        def get_config(self) -> Any:
            return {}

        async def structured_output(self, *args: Any, **options: Any) -> Any:
            yield {"output": None}

        async def stream(self, messages: Any, *args: Any, **options: Any) -> Any:
            asked = any("toolResult" in part for message in messages for part in message["content"])
            start = {} if asked else {"toolUse": {"name": "probed", "toolUseId": "call-1"}}
            delta: Any = {"text": "done"} if asked else {"toolUse": {"input": "{}"}}
            yield {"messageStart": {"role": "assistant"}}
            yield {"contentBlockStart": {"start": start}}
            yield {"contentBlockDelta": {"delta": delta}}
            yield {"contentBlockStop": {}}
            yield {"messageStop": {"stopReason": "end_turn" if asked else "tool_use"}}

    return Agent(model=ProofModel(), tools=[tool(probed_by(spy))], callback_handler=None)
