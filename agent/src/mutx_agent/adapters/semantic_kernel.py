"""Semantic Kernel, by its function filters, or without a change to the program.

    kernel.add_filter(FilterTypes.FUNCTION_INVOCATION, function_filter())
    mutx_agent.hooks.install("semantic_kernel")

`install` stands in `KernelFunction.invoke` and `invoke_stream`, which the kernel, its agents and processes lead to. A
denied call raises ActionDenied, which the kernel reports to the model as the call's result. Changed arguments are parsed
by the function itself. A prompt is decided where a model calls it as a function, not where the program sends it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from mutx_agent.adapters._arguments import with_changes
from mutx_agent.adapters._common import Gate, ToolUse, raised
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.adapters._probes import quiet
from mutx_agent.adapters._streams import arun_stream
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "semantic_kernel"


def function_filter(
    governor: Governor | None = None, *, deadline: float | None = None
) -> Callable[[Any, Callable[[Any], Awaitable[None]]], Awaitable[None]]:
    """A filter that has every call of a function (but not of a prompt) decided first."""
    gate = Gate(RUNTIME, governor, deadline)

    async def govern_function_call(context: Any, next: Callable[[Any], Awaitable[None]]) -> None:  # noqa: A002 - the kernel looks for this name
        async def execute(changed: Json | None) -> Any:
            _change(context.function, context.arguments, changed)
            await next(context)
            return context.result

        if context.function.is_prompt:
            await next(context)
        else:
            await gate.arun(lambda: _use(context.function, context.arguments), execute, raised, _note)

    return govern_function_call


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every function call of Semantic Kernel in this process. Raises HookNotFound."""
    module = "semantic_kernel.functions.kernel_function"
    points = {f"{module}:KernelFunction.invoke": _invoke, f"{module}:KernelFunction.invoke_stream": _invoke_stream}
    return patch("semantic-kernel", RUNTIME, governor, points)


def _invoke(original: Any, gate: Gate) -> Any:
    async def invoke(self: Any, kernel: Any, arguments: Any = None, metadata: Any = None, **kwargs: Any) -> Any:
        if self.is_prompt and not metadata:
            return await original(self, kernel, arguments, metadata, **kwargs)
        given = _arguments(arguments, kwargs)

        async def execute(changed: Json | None) -> Any:
            return await original(self, kernel, _change(self, given, changed), metadata)

        return await gate.arun(lambda: _use(self, given), execute, raised, _note)

    return invoke


def _invoke_stream(original: Any, gate: Gate) -> Any:
    def invoke_stream(
        self: Any, kernel: Any, arguments: Any = None, metadata: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        if self.is_prompt and not metadata:
            parts: AsyncIterator[Any] = original(self, kernel, arguments, metadata, **kwargs)
            return parts
        given = _arguments(arguments, kwargs)
        return arun_stream(
            gate,
            lambda: _use(self, given),
            lambda changed: original(self, kernel, _change(self, given, changed), metadata),
        )

    return invoke_stream


def _arguments(arguments: Any, kwargs: Mapping[str, Any]) -> Any:
    """As the function itself reads them."""
    from semantic_kernel.functions import KernelArguments

    return KernelArguments(**kwargs) if arguments is None else arguments


def _use(function: Any, arguments: Mapping[str, Any]) -> ToolUse:
    return ToolUse(function.fully_qualified_name, _taken(function, arguments))


def _taken(function: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The function's own arguments: a kernel passes everything on that it has."""
    names = {parameter.name for parameter in function.parameters}
    return {name: value for name, value in arguments.items() if name in names}


def _change(function: Any, arguments: Any, changed: Json | None) -> Any:
    if changed is not None:
        given = _taken(function, arguments)
        merged = with_changes(function.fully_qualified_name, given, changed)
        for name in given:
            del arguments[name]
        arguments.update(merged)
    return arguments


def _note(action: Any, answer: Any) -> None:
    action.result = getattr(answer, "value", answer)


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a kernel with the filter run a function that calls `spy`, as a model's call."""
    _call_probed(spy, function_filter(governor))


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a kernel run a function that calls `spy`, as a model's call, with nothing but `install`."""
    with installed(install, governor):
        _call_probed(spy, None)


def _call_probed(spy: Callable[[], None], added: Any) -> None:
    import asyncio

    from semantic_kernel import Kernel
    from semantic_kernel.contents import ChatHistory, FunctionCallContent
    from semantic_kernel.filters import FilterTypes
    from semantic_kernel.functions import kernel_function

    class Probes:
        @kernel_function
        def probed(self) -> str:
            """Does what the proof watches."""
            spy()
            return "ran"

    kernel = Kernel()
    kernel.add_plugin(Probes(), "probes")
    if added is not None:
        kernel.add_filter(FilterTypes.FUNCTION_INVOCATION, added)
    call = FunctionCallContent(id="call-1", name="probes-probed", arguments="{}")
    with quiet(RUNTIME):
        asyncio.run(kernel.invoke_function_call(call, ChatHistory()))
