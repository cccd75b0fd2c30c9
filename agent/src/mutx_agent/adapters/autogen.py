"""AutoGen (autogen-core and autogen-agentchat), by a workbench around your own, or without a change to the program.

    AssistantAgent(..., workbench=GovernWorkbench(StaticWorkbench(tools)))
    mutx_agent.hooks.install("autogen")

`install` stands in `run_json`, `run` and their streaming kin of every tool class, which agents, teams, workbenches,
`ToolAgent` and agents as tools lead to, and in every workbench but the one of plain tools (MCP servers). A denied call
comes back to the model as an error result. `AssistantAgent` carries a hand-off out whatever its tool answers, and waits
for ever when that tool raises; so `install` also has it read a denied hand-off as a failed call.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import cache
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse, raised, when_asked_for
from mutx_agent.adapters._family import all_of, patch_family, place_of
from mutx_agent.adapters._patch import Maker, Uninstall, installed, patch
from mutx_agent.adapters._probes import probed_by
from mutx_agent.adapters._streams import arun_stream
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

DISTRIBUTION, RUNTIME = "autogen-core", "autogen"


@cache
def _workbench() -> Any:
    from autogen_core.tools import Workbench

    class GovernWorkbench(Workbench):
        """Any workbench, with every call of its tools decided first."""

        def __init__(self, inner: Any, governor: Governor | None = None, *, deadline: float | None = None) -> None:
            self._inner = inner
            self._gate = Gate(RUNTIME, governor, deadline)

        async def list_tools(self) -> Any:
            return await self._inner.list_tools()

        async def call_tool(
            self, name: str, arguments: Any = None, cancellation_token: Any = None, call_id: str | None = None
        ) -> Any:
            return await self._gate.arun(
                lambda: _by_name(self._inner, name, arguments),
                lambda changed: self._inner.call_tool(
                    name, arguments if changed is None else changed, cancellation_token, call_id
                ),
                lambda denial: _refusal(name, denial),
                _note,
            )

        async def start(self) -> None:
            await self._inner.start()

        async def stop(self) -> None:
            await self._inner.stop()

        async def reset(self) -> None:
            await self._inner.reset()

        async def save_state(self) -> Any:
            return await self._inner.save_state()

        async def load_state(self, state: Any) -> None:
            await self._inner.load_state(state)

    return GovernWorkbench


__getattr__ = when_asked_for(__name__, GovernWorkbench=_workbench)


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool run of AutoGen in this process. Raises HookNotFound."""
    steps = [
        lambda: patch_family(DISTRIBUTION, RUNTIME, governor, "autogen_core.tools:BaseTool", _tool_methods),
        lambda: patch_family(DISTRIBUTION, RUNTIME, governor, "autogen_core.tools:Workbench", _workbench_methods),
    ]
    if find_spec("autogen_agentchat"):
        steps.append(lambda: patch("autogen-agentchat", RUNTIME, governor, _ASSISTANT))
    return all_of(*steps)


def _tool_methods(owner: type) -> Mapping[str, Maker]:
    return {"run_json": _run, "run": _run, "run_json_stream": _run_stream, "run_stream": _run_stream}


def _workbench_methods(owner: type) -> Mapping[str, Maker]:
    """A static workbench runs tools, which decide by themselves and under the name that they have there."""
    if owner.__module__ == "autogen_core.tools._static_workbench" or owner.__name__ == "GovernWorkbench":
        return {}
    return {"call_tool": _call_tool, "call_tool_stream": _call_tool_stream}


def _run(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    async def run(self: Any, args: Any, *options: Any, **named: Any) -> Any:
        return await gate.arun(
            lambda: ToolUse(self.name, _json(args), tool=self),
            lambda changed: original(self, _changed(self, args, changed), *options, **named),
            raised,
            hook=place,
        )

    return run


def _run_stream(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    def run_stream(self: Any, args: Any, *options: Any, **named: Any) -> AsyncIterator[Any]:
        return arun_stream(
            gate,
            lambda: ToolUse(self.name, _json(args), tool=self),
            lambda changed: original(self, _changed(self, args, changed), *options, **named),
            place,
        )

    return run_stream


def _json(args: Any) -> Any:
    return args.model_dump(mode="json") if hasattr(args, "model_dump") else dict(args)


def _changed(tool: Any, args: Any, changed: Json | None) -> Any:
    """`run` takes the tool's own model of its arguments, `run_json` what makes one."""
    if changed is None:
        return args
    return tool.args_type().model_validate(changed) if hasattr(args, "model_dump") else changed


def _call_tool(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    async def call_tool(self: Any, name: str, arguments: Any = None, *options: Any, **named: Any) -> Any:
        return await gate.arun(
            lambda: _by_name(self, name, arguments),
            lambda changed: original(self, name, arguments if changed is None else changed, *options, **named),
            lambda denial: _refusal(name, denial),
            _note,
            place,
        )

    return call_tool


def _call_tool_stream(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    async def call_tool_stream(
        self: Any, name: str, arguments: Any = None, *options: Any, **named: Any
    ) -> AsyncIterator[Any]:
        parts = arun_stream(
            gate,
            lambda: _by_name(self, name, arguments),
            lambda changed: original(self, name, arguments if changed is None else changed, *options, **named),
            place,
        )
        try:
            async for part in parts:
                yield part
        except ActionDenied as denial:
            yield _refusal(name, denial)

    return call_tool_stream


def _by_name(workbench: Any, name: str, arguments: Any) -> ToolUse:
    """A workbench may show a tool to the model under another name; policies know the tool's own."""
    return ToolUse(getattr(workbench, "_override_name_to_original", {}).get(name, name), dict(arguments or {}))


def _refusal(name: str, denial: ActionDenied) -> Any:
    from autogen_core.tools import TextResultContent, ToolResult

    return ToolResult(name=name, result=[TextResultContent(content=str(denial))], is_error=True)


def _note(action: GovernedAction, answer: Any) -> None:
    if answer.is_error:
        action.error = answer.to_text()
    else:
        action.result = answer.to_text()


def _execute_tool_call(original: Any, gate: Gate) -> Any:
    async def execute_tool_call(*, tool_call: Any, **options: Any) -> Any:
        try:
            return await original(tool_call=tool_call, **options)
        except ActionDenied as denial:
            from autogen_core.models import FunctionExecutionResult

            refused = FunctionExecutionResult(
                content=str(denial), name=tool_call.name, call_id=tool_call.id, is_error=True
            )
            return tool_call, refused

    return execute_tool_call


def _check_and_handle_handoff(original: Any, gate: Gate) -> Any:
    def check_and_handle_handoff(*, model_result: Any, executed_calls_and_results: Any, **options: Any) -> Any:
        failed = {result.call_id for _, result in executed_calls_and_results if result.is_error}
        calls = [call for call in model_result.content if getattr(call, "id", None) not in failed]
        return original(
            model_result=model_result.model_copy(update={"content": calls}),
            executed_calls_and_results=executed_calls_and_results,
            **options,
        )

    return check_and_handle_handoff


_ASSISTANT: Mapping[str, Maker] = MappingProxyType(
    {
        "autogen_agentchat.agents:AssistantAgent._execute_tool_call": _execute_tool_call,
        "autogen_agentchat.agents:AssistantAgent._check_and_handle_handoff": _check_and_handle_handoff,
    }
)


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a workbench inside GovernWorkbench run a tool that calls `spy`."""
    _call_probed(spy, lambda workbench: _workbench()(workbench, governor))


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a plain workbench run a tool that calls `spy`, with nothing but `install`."""
    with installed(install, governor):
        _call_probed(spy, lambda workbench: workbench)


def _call_probed(spy: Callable[[], None], around: Callable[[Any], Any]) -> None:
    import asyncio

    from autogen_core.tools import FunctionTool, StaticWorkbench

    async def run() -> None:
        await around(StaticWorkbench([FunctionTool(probed_by(spy), "Does what the proof watches.")])).call_tool(
            "probed", {}
        )

    asyncio.run(run())
