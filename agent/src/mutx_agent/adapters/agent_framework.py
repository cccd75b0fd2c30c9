"""Microsoft Agent Framework, by its function middleware, or without a change to the program.

    Agent(client=client, tools=tools, middleware=[GovernMiddleware()])
    mutx_agent.hooks.install("agent_framework")

`install` stands in `FunctionTool.invoke`, which agents, streams, workflows and agents as tools lead to, and in
`FunctionTool.__call__`, because a decorated function stays callable from other code. A denied call comes back to the
model as the function's result, which says why; code that runs a tool itself gets ActionDenied. Changed arguments go
through the function's own input model. Tools that the model's provider hosts never reach this process.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse, raised, when_asked_for
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.adapters._probes import probed_by, quiet
from mutx_agent.arguments import CallShape
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "agent_framework"


@cache
def _middleware() -> Any:
    from agent_framework import FunctionMiddleware

    class GovernMiddleware(FunctionMiddleware):
        """Every function call is decided first. Put it last, so that it sees what will be executed."""

        def __init__(self, governor: Governor | None = None, *, deadline: float | None = None) -> None:
            self._gate = Gate(RUNTIME, governor, deadline)

        async def process(self, context: Any, call_next: Callable[[], Awaitable[None]]) -> None:
            async def execute(changed: Json | None) -> Any:
                if changed is not None:
                    context.arguments = changed
                await call_next()
                return context.result

            def refuse(denial: ActionDenied) -> Any:
                context.result = _refusal(denial)
                return context.result

            await self._gate.arun(
                lambda: _described(context.function, context.arguments, context), execute, refuse, _note
            )

    return GovernMiddleware


__getattr__ = when_asked_for(__name__, GovernMiddleware=_middleware)


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every function call of the framework in this process. Raises HookNotFound."""
    points = {"agent_framework:FunctionTool.invoke": _invoke, "agent_framework:FunctionTool.__call__": _call}
    return patch("agent-framework-core", RUNTIME, governor, points)


def _invoke(original: Any, gate: Gate) -> Any:
    async def invoke(self: Any, *, arguments: Any = None, context: Any = None, **kwargs: Any) -> Any:
        options = {name: kwargs.pop(name) for name in ("tool_call_id", "skip_parsing") if name in kwargs}
        for_model = options.get("tool_call_id") is not None and not options.get("skip_parsing")

        def given() -> Any:
            return arguments if arguments is not None else kwargs or (context.arguments if context is not None else {})

        async def execute(changed: Json | None) -> Any:
            if changed is None:
                return await original(self, arguments=arguments, context=context, **options, **kwargs)
            return await original(self, arguments=changed, context=context, **options)

        def refuse(denial: ActionDenied) -> Any:
            if not for_model:
                raise denial
            return _refusal(denial)

        return await gate.arun(lambda: _described(self, given(), context), execute, refuse, _note, "invoke")

    return invoke


def _call(original: Any, gate: Gate) -> Any:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = [self._instance, *args] if self._instance is not None else list(args)

        def named() -> dict[str, Any]:
            values = CallShape(self.func).bind(tuple(bound), kwargs).sent
            return {name: value for name, value in values.items() if name != self._context_parameter_name}

        def kept() -> dict[str, Any]:
            name = self._context_parameter_name
            return {name: kwargs[name]} if name in kwargs else {}

        def execute(changed: Json | None) -> Any:
            return original(self, *args, **kwargs) if changed is None else original(self, **kept(), **changed)

        async def aexecute(changed: Json | None) -> Any:
            return await execute(changed)

        def describe() -> ToolUse:
            return ToolUse(self.name, named(), tool=self)

        if inspect.iscoroutinefunction(self.func):
            return gate.arun(describe, aexecute, raised, hook="call")
        return gate.run(describe, execute, raised, hook="call")

    return call


def _described(tool: Any, arguments: Any, context: Any) -> ToolUse:
    if not isinstance(arguments, Mapping):
        arguments = arguments.model_dump(exclude_unset=True) if hasattr(arguments, "model_dump") else {}
    session = getattr(getattr(context, "session", None), "session_id", None)
    return ToolUse(tool.name, dict(arguments), session_id=session, tool=tool)


def _refusal(denial: ActionDenied) -> Any:
    from agent_framework import Content

    return [Content.from_text(f"Error: {denial}")]


def _note(action: GovernedAction, answer: Any) -> None:
    texts = [getattr(item, "text", None) for item in answer] if isinstance(answer, list) else [None]
    action.result = answer if None in texts else "\n".join(str(text) for text in texts)


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent with GovernMiddleware call a function that calls `spy`."""
    _run_agent(spy, middleware=[_middleware()(governor)])


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent call a function that calls `spy`, with nothing but `install`."""
    with installed(install, governor):
        _run_agent(spy)


def _run_agent(spy: Callable[[], None], **options: Any) -> None:
    import asyncio

    from agent_framework import Agent, BaseChatClient, ChatResponse, Content, FunctionInvocationLayer, Message

    class Scripted(FunctionInvocationLayer, BaseChatClient):
        async def _inner_get_response(self, *, messages: Any, **unused: Any) -> Any:
            asked = any(content.type == "function_result" for message in messages for content in message.contents)
            call = Content.from_function_call(call_id="call-1", name="probed", arguments="{}")
            return ChatResponse(messages=[Message("assistant", ["done"] if asked else [call])], response_id="probe")

    with quiet(RUNTIME):
        asyncio.run(_asked(Agent(client=Scripted(), tools=[probed_by(spy)], **options)))


async def _asked(agent: Any) -> None:
    await agent.run("prove it")
