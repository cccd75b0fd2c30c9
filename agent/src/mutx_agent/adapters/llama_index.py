"""LlamaIndex, without a change to the program: it has no hook of its own before a tool runs.

    mutx_agent.hooks.install("llama_index")

`install` stands in `call` and `acall` of every tool class (`__call__` of the few that are not asynchronous), because
`AgentWorkflow`, `FunctionAgent`, `ReActAgent` and `tools.calling` each have a dispatch of their own and meet only
there. A hand-off between agents is a tool call (`handoff`), and what a `CodeActAgent` writes runs through the tool
`execute`. A denied call comes back to the model as a ToolOutput with `is_error`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse
from mutx_agent.adapters._family import patch_family, place_of
from mutx_agent.adapters._patch import Maker, Uninstall, installed
from mutx_agent.adapters._probes import probed_by
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "llama_index"


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool run of LlamaIndex in this process. Raises HookNotFound."""
    return patch_family("llama-index-core", RUNTIME, governor, "llama_index.core.tools.types:BaseTool", _methods)


def _methods(owner: type) -> Mapping[str, Maker]:
    """An asynchronous tool's `__call__` leads to its `call`."""
    if any(base.__name__ == "AsyncBaseTool" for base in owner.__mro__):
        return {"call": _run, "acall": _arun}
    return {"__call__": _run}


def _run(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        def execute(changed: Json | None) -> Any:
            return (
                original(self, *args, **kwargs)
                if changed is None
                else original(self, **_options(self, kwargs), **changed)
            )

        return gate.run(
            lambda: _described(self, args, kwargs), execute, lambda denial: _refusal(self, kwargs, denial), _note, place
        )

    return run


def _arun(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    async def arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        async def execute(changed: Json | None) -> Any:
            if changed is None:
                return await original(self, *args, **kwargs)
            return await original(self, **_options(self, kwargs), **changed)

        return await gate.arun(
            lambda: _described(self, args, kwargs), execute, lambda denial: _refusal(self, kwargs, denial), _note, place
        )

    return arun


def _described(tool: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> ToolUse:
    """What the tool was bound to when it was made is part of what runs, so policies see it, too."""
    names = list(tool.metadata.get_parameters_dict().get("properties", {}))
    given = dict(zip([*names, *(f"argument_{place}" for place in range(len(names), len(args)))], args, strict=False))
    bound = {**getattr(tool, "_field_defaults", {}), **getattr(tool, "partial_params", {})}
    context = _options(tool, kwargs)
    return ToolUse(
        tool.metadata.get_name(), {**bound, **given, **{k: v for k, v in kwargs.items() if k not in context}}
    )


def _options(tool: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What the framework itself puts in: the workflow's context, where the function takes one."""
    name = str(getattr(tool, "ctx_param_name", None))
    return {name: kwargs[name]} if name in kwargs else {}


def _refusal(tool: Any, kwargs: Mapping[str, Any], denial: ActionDenied) -> Any:
    from llama_index.core.tools import ToolOutput

    context, name = _options(tool, kwargs), tool.metadata.get_name()
    given = {key: value for key, value in kwargs.items() if key not in context}
    return ToolOutput(
        tool_name=name, content=str(denial), raw_input=given, raw_output=str(denial), is_error=True, exception=denial
    )


def _note(action: GovernedAction, answer: Any) -> None:
    if getattr(answer, "is_error", False):
        action.error = str(answer)
    else:
        action.result = getattr(answer, "raw_output", answer)


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent call a tool that calls `spy`, with nothing but `install`."""
    import asyncio

    from llama_index.core.agent.workflow import FunctionAgent
    from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
    from llama_index.core.llms.mock import MockFunctionCallingLLM

    def answer(messages: Any, **options: Any) -> Any:
        asked = any(message.role == "tool" for message in messages)
        call = ToolCallBlock(tool_call_id="call-1", tool_name="probed", tool_kwargs={})
        return ChatMessage(role="assistant", content="done") if asked else ChatMessage(role="assistant", blocks=[call])

    async def run() -> None:
        model = MockFunctionCallingLLM(response_generator=answer, is_chat_model=True)
        await FunctionAgent(tools=[probed_by(spy)], llm=model, streaming=False).run("prove it")

    with installed(install, governor):
        asyncio.run(run())
