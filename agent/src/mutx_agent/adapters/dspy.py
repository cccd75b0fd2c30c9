"""DSPy, without a change to the program: its callbacks only watch, what they raise is swallowed.

    mutx_agent.hooks.install("dspy")

`install` stands in `Tool.__call__` and `Tool.acall`, which `ReAct`, `RLM`, interpreters and code lead to, and in
`ToolCalls.ToolCall.execute`, which runs a tool's function past the tool. A denied call raises ActionDenied, which `ReAct`
reports to the model as the call's observation. Changed arguments are validated by the tool. The tool
`finish` (or `submit`) that `ReAct` itself adds is how it ends, not an action, and passes.
"""

import inspect
from collections.abc import Callable
from typing import Any

from mutx_agent.adapters._arguments import with_changes
from mutx_agent.adapters._common import Gate, ToolUse, raised
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.adapters._probes import probed_by
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "dspy"


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool run of DSPy in this process. Raises HookNotFound."""
    module = "dspy.adapters.types.tool"
    points = {
        f"{module}:Tool.__call__": _call,
        f"{module}:Tool.acall": _acall,
        f"{module}:ToolCalls.ToolCall.execute": _execute,
    }
    return patch(RUNTIME, RUNTIME, governor, points)


def _call(original: Any, gate: Gate) -> Any:
    def call(self: Any, **kwargs: Any) -> Any:
        if _ends_the_run(self):
            return original(self, **kwargs)
        return gate.run(*_question(self, original, kwargs), hook="call")

    return call


def _acall(original: Any, gate: Gate) -> Any:
    async def acall(self: Any, **kwargs: Any) -> Any:
        if _ends_the_run(self):
            return await original(self, **kwargs)
        return await gate.arun(*_question(self, original, kwargs), hook="call")

    return acall


def _question(tool: Any, original: Any, kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    """What is asked of the gate, synchronously or not."""
    return (
        lambda: ToolUse(tool.name, kwargs),
        lambda changed: original(tool, **_with(tool.name, kwargs, changed)),
        raised,
    )


def _execute(original: Any, gate: Gate) -> Any:
    def execute(self: Any, functions: Any = None) -> Any:
        known = _in_caller(self.name) if functions is None else functions

        def run(changed: Json | None) -> Any:
            call = self.model_copy(update={"args": _with(self.name, self.args, changed)})
            return original(call, known)

        return gate.run(lambda: ToolUse(self.name, self.args), run, raised, hook="execute")

    return execute


def _in_caller(name: str) -> dict[str, Any]:
    """DSPy looks for the function among the names of whoever called `execute`: two frames up from here."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame.f_back if frame is not None else None
    if frame is None:
        return {}
    found = frame.f_locals.get(name) or frame.f_globals.get(name)
    return {} if found is None else {name: found}


def _ends_the_run(tool: Any) -> bool:
    return tool.name in {"finish", "submit"} and str(getattr(tool.func, "__module__", "")).startswith("dspy.predict.")


def _with(name: str, given: dict[str, Any], changed: Json | None) -> dict[str, Any]:
    return given if changed is None else with_changes(name, given, changed)


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have `ReAct` call a tool that calls `spy`, with nothing but `install`."""
    import dspy
    from dspy.utils import DummyLM

    asks = {"next_thought": "ask", "next_tool_name": "probed", "next_tool_args": "{}"}
    ends = {"next_thought": "end", "next_tool_name": "finish", "next_tool_args": "{}"}
    script = DummyLM([asks, ends, {"reasoning": "none", "answer": "done"}])
    with installed(install, governor), dspy.context(lm=script):
        dspy.ReAct("question -> answer", tools=[probed_by(spy)])(question="prove it")
