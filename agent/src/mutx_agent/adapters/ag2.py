"""AG2 (1.x, package `ag2`), by its middleware, or without a change to the program.

    Agent(..., middleware=[Middleware(GovernMiddleware)])
    mutx_agent.hooks.install("ag2")

`install` stands in `__call__` of every tool class: functions, MCP servers, shells, agents as tools and tools that the
client of the program executes. A denied call comes back to the model as a ToolErrorEvent. Changed arguments are parsed
by the tool itself. Builtin tools of a model's provider never reach this process.
"""

import json
from collections.abc import Callable, Mapping
from copy import copy
from functools import cache
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse, when_asked_for
from mutx_agent.adapters._family import patch_family, place_of
from mutx_agent.adapters._patch import Maker, Uninstall, installed
from mutx_agent.adapters._probes import probed_by
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "ag2"


@cache
def _middleware() -> Any:
    from ag2.middleware import BaseMiddleware

    class GovernMiddleware(BaseMiddleware):
        """Every tool call of the turn is decided first."""

        def __init__(
            self, event: Any, context: Any, governor: Governor | None = None, deadline: float | None = None
        ) -> None:
            super().__init__(event, context)
            self._gate = Gate(RUNTIME, governor, deadline)

        async def on_tool_execution(self, call_next: Any, event: Any, context: Any) -> Any:
            return await self._gate.arun(
                lambda: ToolUse(event.name, event.serialized_arguments, original_request=_text(self.initial_event)),
                lambda changed: call_next(_with(event, changed), context),
                lambda denial: _refusal(event, denial),
                _note,
            )

    return GovernMiddleware


__getattr__ = when_asked_for(__name__, GovernMiddleware=_middleware)


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool call of AG2 in this process. Raises HookNotFound."""
    return patch_family("ag2", RUNTIME, governor, "ag2.tools.tool:Tool", _methods, "ag2.tools.final.function_tool")


def _methods(owner: type) -> Mapping[str, Maker]:
    return {"__call__": _call}


def _call(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    async def call(self: Any, event: Any, context: Any) -> Any:
        return await gate.arun(
            lambda: ToolUse(event.name, event.serialized_arguments),
            lambda changed: original(self, _with(event, changed), context),
            lambda denial: _refusal(event, denial),
            _note,
            place,
        )

    return call


def _text(event: Any) -> str | None:
    """What the user said first in this turn."""
    parts = getattr(event, "parts", None) or []
    return next((str(part.content) for part in parts if getattr(part, "content", None)), None)


def _with(event: Any, changed: Json | None) -> Any:
    if changed is None:
        return event
    call = copy(event)
    call.arguments, call.serialized_arguments = json.dumps(changed), changed
    return call


def _refusal(event: Any, denial: ActionDenied) -> Any:
    from ag2.events import ToolErrorEvent, ToolResult

    return ToolErrorEvent(parent_id=event.id, name=event.name, error=denial, result=ToolResult(str(denial)))


def _note(action: GovernedAction, answer: Any) -> None:
    error, result = getattr(answer, "error", None), getattr(answer, "result", None)
    if error is not None:
        action.error = f"{type(error).__name__}: {error}"
        return
    parts = [getattr(part, "content", getattr(part, "data", None)) for part in getattr(result, "parts", [])]
    action.result = parts[0] if len(parts) == 1 else parts


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent with GovernMiddleware call a tool that calls `spy`."""
    from ag2.middleware import Middleware

    _ask(spy, middleware=[Middleware(_middleware(), governor=governor)])


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent call a tool that calls `spy`, with nothing but `install`."""
    with installed(install, governor):
        _ask(spy)


def _ask(spy: Callable[[], None], **options: Any) -> None:
    import asyncio

    from ag2 import Agent
    from ag2.events import ToolCallEvent
    from ag2.testing import TestConfig

    script = TestConfig(ToolCallEvent("probed"), "done", raise_tool_errors=False)
    agent: Any = Agent("prover", config=script, tools=[probed_by(spy)], **options)
    asyncio.run(agent.ask("prove it"))
