"""LangChain and LangGraph, by their own hooks: `wrap_tool_call` and `awrap_tool_call`.

    create_agent(model, tools, middleware=[GovernMiddleware()])
    ToolNode(tools, **tool_call_wrappers())

A denied call comes back to the model as a ToolMessage with status "error" that says why; an exception would end the
run. Changed arguments go through the tool's own validation again.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from mutx_agent import govern
from mutx_agent.action import GovernedAction
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.scope import CURRENT
from mutx_agent.values import to_json

REQUEST_LIMIT = 8000
"""Characters of the user's message that are sent as the session's original request."""


class ToolCallGuard:
    """What both hooks do with one tool call. The framework's types appear only when it is used."""

    def __init__(self, governor: Governor | None = None, deadline: float | None = None) -> None:
        self._governor = governor or govern
        self._deadline = deadline

    def run(self, request: Any, execute: Callable[[Any], Any]) -> Any:
        """For `wrap_tool_call`."""
        try:
            with self._action(request) as action:
                answer = execute(_allowed(request, action))
                _note(action, answer)
        except ActionDenied as denial:
            return _refusal(request, denial)
        return answer

    async def arun(self, request: Any, execute: Callable[[Any], Awaitable[Any]]) -> Any:
        """For `awrap_tool_call`."""
        try:
            async with self._action(request) as action:
                answer = await execute(_allowed(request, action))
                _note(action, answer)
        except ActionDenied as denial:
            return _refusal(request, denial)
        return answer

    def _action(self, request: Any) -> GovernedAction:
        call, scope = request.tool_call, CURRENT.get()
        return self._governor.action(
            call["name"],
            to_json(call["args"]),
            deadline=self._deadline,
            session_id=scope.session_id or _thread_id(request),
            original_request=scope.original_request or _first_request(request),
            trigger="llm",
            runtime="langgraph",
        )


def _allowed(request: Any, action: GovernedAction) -> Any:
    """The request with the arguments that were allowed; the tool validates them as it would the model's own."""
    if not action.permission.modified:
        return request
    return request.override(tool_call={**request.tool_call, "args": action.args})


def _note(action: GovernedAction, answer: Any) -> None:
    """Tool nodes turn a tool's exception into a message of status `error`; the receipt says error, too."""
    content = getattr(answer, "content", answer)
    if getattr(answer, "status", None) == "error":
        action.error = content if isinstance(content, str) else str(content)
    else:
        action.result = content


def _refusal(request: Any, denial: ActionDenied) -> Any:
    from langchain_core.messages import ToolMessage

    return ToolMessage(
        content=str(denial), name=request.tool_call["name"], tool_call_id=request.tool_call["id"], status="error"
    )


def _thread_id(request: Any) -> str | None:
    """LangGraph's thread is the session, so that a resumed conversation keeps what it has read."""
    config = getattr(request.runtime, "config", None) or {}
    thread = (config.get("configurable") or {}).get("thread_id")
    return None if thread is None else str(thread)


def _first_request(request: Any) -> str | None:
    state = request.state
    messages = state if isinstance(state, list) else _field(state, "messages") or []
    first = next((m for m in messages if getattr(m, "type", None) == "human"), None)
    return first.text[:REQUEST_LIMIT] or None if first is not None else None


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


def __getattr__(name: str) -> Any:
    """`GovernMiddleware` is a LangChain class, so it comes into being when somebody asks for it."""
    if name == "GovernMiddleware":
        return _middleware()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent call a tool that calls `spy`: what `mutx_agent.hooks.prove` runs."""
    from langchain.agents import create_agent
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.tools import tool

    @tool
    def probed() -> str:
        """Does what the proof watches."""
        spy()
        return "ran"

    class Scripted(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **options: Any) -> Any:
            return self

    asks = AIMessage("", tool_calls=[{"name": "probed", "args": {}, "id": "call-1"}])
    model = Scripted(messages=iter([asks, AIMessage("done")]))
    agent: Any = create_agent(model, [probed], middleware=[_middleware()(governor)])
    agent.invoke({"messages": [("user", "prove it")]})
