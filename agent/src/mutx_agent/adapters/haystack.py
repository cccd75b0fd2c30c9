"""Haystack (haystack-ai), by the function that every tool has, or without a change to the program.

    Agent(chat_generator=..., tools=governed_tools([search, pay]))
    mutx_agent.hooks.install("haystack")

`function` and `async_function` are Haystack's own fields for what a tool does, and `governed_tools` asks there. (A
`before_tool` hook could answer or change a pending call, but does not hear of its result.) `install` stands in
`invoke` and `invoke_async` of every tool class, which agents, pipelines and components as tools lead to. A denied call
comes back to the model as a tool message with an error.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from mutx_agent.adapters._arguments import with_changes
from mutx_agent.adapters._common import Gate, ToolUse, raised
from mutx_agent.adapters._family import patch_family, place_of
from mutx_agent.adapters._patch import Maker, Uninstall, installed
from mutx_agent.adapters._probes import probed_by, quiet
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "haystack"


def governed_tools(
    tools: Iterable[Any], governor: Governor | None = None, *, deadline: float | None = None
) -> list[Any]:
    """Copies of these tools that ask before they run. Toolsets are taken apart."""
    from haystack.tools import Tool

    gate = Gate(RUNTIME, governor, deadline)
    governed: list[Any] = []
    for tool in tools:
        if not isinstance(tool, Tool):
            governed += governed_tools(tool, governor, deadline=deadline)
            continue
        asking = copy.copy(tool)
        if tool.function is not None:
            asking.function = _asking(gate, tool)
        if tool.async_function is not None:
            asking.async_function = _async_asking(gate, tool)
        governed.append(asking)
    return governed


def _asking(gate: Gate, tool: Any) -> Callable[..., Any]:
    @wraps(tool.function)
    def ask(**kwargs: Any) -> Any:
        return gate.run(
            lambda: _use(tool, kwargs), lambda changed: tool.function(**_with(tool, kwargs, changed)), raised
        )

    return ask


def _async_asking(gate: Gate, tool: Any) -> Callable[..., Any]:
    @wraps(tool.async_function)
    async def ask(**kwargs: Any) -> Any:
        return await gate.arun(
            lambda: _use(tool, kwargs), lambda changed: tool.async_function(**_with(tool, kwargs, changed)), raised
        )

    return ask


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool run of Haystack in this process. Raises HookNotFound."""
    return patch_family("haystack-ai", RUNTIME, governor, "haystack.tools.tool:Tool", _methods)


def _methods(owner: type) -> Mapping[str, Maker]:
    return {"invoke": _invoke, "invoke_async": _invoke_async}


def _invoke(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    def invoke(self: Any, **kwargs: Any) -> Any:
        return gate.run(*_question(self, original, kwargs), hook=place)

    return invoke


def _invoke_async(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    async def invoke_async(self: Any, **kwargs: Any) -> Any:
        return await gate.arun(*_question(self, original, kwargs), hook=place)

    return invoke_async


def _question(tool: Any, original: Any, kwargs: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """What is asked of the gate, synchronously or not."""
    return (
        lambda: _use(tool, kwargs),
        lambda changed: original(tool, **_with(tool, kwargs, changed)),
        lambda denial: _fail(tool, denial),
    )


def _use(tool: Any, kwargs: Mapping[str, Any]) -> ToolUse:
    return ToolUse(tool.name, _given(kwargs))


def _given(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The agent's live state, which the framework itself puts in, is no argument of the model's."""
    return {name: value for name, value in kwargs.items() if type(value).__name__ != "State"}


def _with(tool: Any, kwargs: Mapping[str, Any], changed: Json | None) -> dict[str, Any]:
    if changed is None:
        return dict(kwargs)
    given = _given(kwargs)
    injected = {name: value for name, value in kwargs.items() if name not in given}
    return {**injected, **with_changes(tool.name, given, changed)}


def _fail(tool: Any, denial: ActionDenied) -> Any:
    """What an agent turns into an error message for the model."""
    from haystack.tools.errors import ToolInvocationError

    raise ToolInvocationError(str(denial), tool_name=tool.name) from denial


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent call a governed tool that calls `spy`."""
    _run_agent(governed_tools([_probed(spy)], governor))


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent call a tool that calls `spy`, with nothing but `install`."""
    with installed(install, governor):
        _run_agent([_probed(spy)])


def _probed(spy: Callable[[], None]) -> Any:
    from haystack.tools import Tool

    nothing: dict[str, Any] = {"type": "object", "properties": {}}
    return Tool(name="probed", description="Does what the proof watches.", parameters=nothing, function=probed_by(spy))


def _run_agent(tools: list[Any]) -> None:
    from haystack.components.agents import Agent
    from haystack.components.generators.chat import MockChatGenerator
    from haystack.dataclasses import ChatMessage, ToolCall

    asks = ChatMessage.from_assistant(tool_calls=[ToolCall("probed", {}, id="call-1")])
    agent: Any = Agent(chat_generator=MockChatGenerator([asks, "done"]), tools=tools)
    with quiet(RUNTIME):
        agent.run(messages=[ChatMessage.from_user("prove it")])
