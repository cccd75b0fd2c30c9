"""LangChain and LangGraph, by their own hooks `wrap_tool_call` and `awrap_tool_call`, or without a change to the program.

    create_agent(model, tools, middleware=[GovernMiddleware()])
    ToolNode(tools, **tool_call_wrappers())
    mutx_agent.hooks.install("langchain")

A denied call comes back to the model as a ToolMessage with status "error" that says why; an exception would end the
run. A tool that other code runs directly has no model to tell, so there ActionDenied is raised. Changed arguments go
through the tool's own validation again.

`install` stands in `BaseTool.run` and `.arun`, which all ways of running a tool lead to (both: a tool without a
coroutine runs synchronously under `ainvoke`).
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse, when_asked_for
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.adapters._probes import probed_by
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "langgraph"
HOOK_PACKAGE = "langchain"
"""Where the middleware is; tools are in `langchain-core`."""


class ToolCallGuard:
    """What both hooks do with one tool call. The framework's types appear only when it is used."""

    def __init__(self, governor: Governor | None = None, deadline: float | None = None) -> None:
        self._gate = Gate(RUNTIME, governor, deadline)

    def run(self, request: Any, execute: Callable[[Any], Any]) -> Any:
        """For `wrap_tool_call`."""
        return self._gate.run(*_requested_call(request, execute))

    async def arun(self, request: Any, execute: Callable[[Any], Awaitable[Any]]) -> Any:
        """For `awrap_tool_call`."""
        return await self._gate.arun(*_requested_call(request, execute))


def _requested_call(request: Any, execute: Callable[[Any], Any]) -> tuple[Any, ...]:
    """What is asked of the gate, synchronously or not."""
    return (
        lambda: _requested(request),
        lambda changed: execute(_with(request, changed)),
        lambda denial: _refusal(denial, request.tool_call["name"], request.tool_call["id"]),
        _note,
    )


def _requested(request: Any) -> ToolUse:
    call, config = request.tool_call, getattr(request.runtime, "config", None)
    return ToolUse(call["name"], call["args"], session_id=_thread_id(config), original_request=_first_request(request))


def _with(request: Any, changed: Json | None) -> Any:
    """The request with the arguments that were allowed; the tool validates them as it would the model's own."""
    return request if changed is None else request.override(tool_call={**request.tool_call, "args": changed})


def _note(action: GovernedAction, answer: Any) -> None:
    """Tool nodes turn a tool's exception into a message of status `error`; the receipt says error, too."""
    content = getattr(answer, "content", answer)
    if getattr(answer, "status", None) == "error":
        action.error = content if isinstance(content, str) else str(content)
    else:
        action.result = content


def _refusal(denial: ActionDenied, name: str, call_id: str | None) -> Any:
    if call_id is None:
        raise denial
    from langchain_core.messages import ToolMessage

    return ToolMessage(content=str(denial), name=name, tool_call_id=call_id, status="error")


def _thread_id(config: Any) -> str | None:
    """LangGraph's thread is the session, so that a resumed conversation keeps what it has read."""
    thread = ((config or {}).get("configurable") or {}).get("thread_id")
    return None if thread is None else str(thread)


def _first_request(request: Any) -> str | None:
    state = request.state
    messages = state if isinstance(state, list) else _field(state, "messages") or []
    first = next((m for m in messages if getattr(m, "type", None) == "human"), None)
    return first.text or None if first is not None else None


def _field(state: Any, name: str) -> Any:
    return state.get(name) if isinstance(state, dict) else getattr(state, name, None)


def tool_call_wrappers(governor: Governor | None = None, *, deadline: float | None = None) -> dict[str, Any]:
    """Keyword arguments for a bare graph's `ToolNode`: both wrappers, because a node with one runs the other way free."""
    guard = ToolCallGuard(governor, deadline)
    return {"wrap_tool_call": guard.run, "awrap_tool_call": guard.arun}


def governed_tool_node(
    tools: Any, governor: Governor | None = None, *, deadline: float | None = None, **options: Any
) -> Any:
    """A LangGraph `ToolNode` whose every call is decided first."""
    from langgraph.prebuilt import ToolNode

    return ToolNode(tools, **tool_call_wrappers(governor, deadline=deadline), **options)


@cache
def _middleware() -> Any:
    from langchain.agents.middleware import AgentMiddleware

    class GovernMiddleware(AgentMiddleware):
        """Middleware for `langchain.agents.create_agent`: every tool call is decided first."""

        def __init__(self, governor: Governor | None = None, *, deadline: float | None = None) -> None:
            super().__init__()
            self._guard = ToolCallGuard(governor, deadline)

        def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
            return self._guard.run(request, handler)

        async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            return await self._guard.arun(request, handler)

    return GovernMiddleware


__getattr__ = when_asked_for(__name__, GovernMiddleware=_middleware)


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool run of LangChain and LangGraph in this process. Raises HookNotFound."""
    points = {"langchain_core.tools:BaseTool.run": _run, "langchain_core.tools:BaseTool.arun": _arun}
    return patch("langchain-core", RUNTIME, governor, points)


def _run(original: Any, gate: Gate) -> Any:
    def run(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        return gate.run(*_tool_run(original, self, tool_input, args, kwargs))

    return run


def _arun(original: Any, gate: Gate) -> Any:
    async def arun(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        return await gate.arun(*_tool_run(original, self, tool_input, args, kwargs))

    return arun


def _tool_run(original: Any, tool: Any, tool_input: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """What is asked of the gate, synchronously or not."""
    return (
        lambda: _described(tool, tool_input, kwargs),
        lambda changed: original(tool, _input(tool, tool_input, changed), *args, **kwargs),
        lambda denial: _refusal(denial, tool.name, kwargs.get("tool_call_id")),
        _note,
    )


def _described(tool: Any, tool_input: Any, options: dict[str, Any]) -> ToolUse:
    """What the framework itself puts in (state, store, runtime, call id) is no argument of the model's."""
    return ToolUse(
        tool.name,
        _given(tool, tool_input),
        {"trigger": _trigger(options)},
        session_id=_thread_id(options.get("config")),
    )


def _trigger(options: dict[str, Any]) -> str:
    return "llm" if options.get("tool_call_id") else "tool"


def _given(tool: Any, tool_input: Any) -> dict[str, Any]:
    if not isinstance(tool_input, dict):
        return {next(iter(tool.args), "input"): tool_input}
    given: dict[str, Any] = tool._filter_injected_args(tool_input)
    return given


def _input(tool: Any, tool_input: Any, changed: Json | None) -> Any:
    if changed is None:
        return tool_input
    if not isinstance(tool_input, dict):
        return changed
    given = _given(tool, tool_input)
    return {**{name: value for name, value in tool_input.items() if name not in given}, **changed}


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent with GovernMiddleware call a tool that calls `spy`."""
    from langchain.agents import create_agent
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    class Scripted(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **options: Any) -> Any:
            return self

    asks = AIMessage("", tool_calls=[{"name": "probed", "args": {}, "id": "call-1"}])
    model = Scripted(messages=iter([asks, AIMessage("done")]))
    agent: Any = create_agent(model, [_probed(spy)], middleware=[_middleware()(governor)])
    agent.invoke({"messages": [("user", "prove it")]})


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a tool run as a model's call, with nothing but `install`."""
    with installed(install, governor):
        _probed(spy).invoke({"type": "tool_call", "name": "probed", "args": {}, "id": "call-1"})


def _probed(spy: Callable[[], None]) -> Any:
    from langchain_core.tools import tool

    return tool(probed_by(spy))
