"""smolagents, without a change to the program: it has no hook of its own before a tool runs.

    mutx_agent.hooks.install("smolagents")

`install` stands in `__call__` of every tool class and in `MultiStepAgent.__call__`, by which one agent calls another
that it manages. `ToolCallingAgent` and the code that a `CodeAgent` writes both end there. A denied call raises
ActionDenied inside the step, which both agents report to the model as the step's error. Changed arguments are validated
again. `final_answer` is how an agent ends, not an action; the class that the framework itself brings for it passes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mutx_agent.adapters._arguments import named, with_changes
from mutx_agent.adapters._common import Gate, ToolUse, raised
from mutx_agent.adapters._family import all_of, patch_family, place_of
from mutx_agent.adapters._patch import Maker, Uninstall, installed, patch
from mutx_agent.governor import Governor
from mutx_agent.transport.base import Json

RUNTIME = "smolagents"


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every tool call of smolagents in this process. Raises HookNotFound."""
    return all_of(
        lambda: patch_family(RUNTIME, RUNTIME, governor, "smolagents.tools:BaseTool", _methods),
        lambda: patch(RUNTIME, RUNTIME, governor, {"smolagents.agents:MultiStepAgent.__call__": _delegate}),
    )


def _methods(owner: type) -> Mapping[str, Maker]:
    return {"__call__": _call}


def _call(original: Any, gate: Gate) -> Any:
    place = place_of(original)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _ends_the_run(self):
            return original(self, *args, **kwargs)
        options = {name: kwargs[name] for name in ("sanitize_inputs_outputs",) if name in kwargs}
        given = _given(self, args, {name: value for name, value in kwargs.items() if name not in options})

        def execute(changed: Json | None) -> Any:
            if changed is None:
                return original(self, *args, **kwargs)
            from smolagents.tools import validate_tool_arguments

            merged = with_changes(self.name, given, changed)
            validate_tool_arguments(self, merged)
            return original(self, **options, **merged)

        return gate.run(lambda: ToolUse(self.name, given, tool=self), execute, raised, hook=place)

    return call


def _ends_the_run(tool: Any) -> bool:
    kind = type(tool)
    return kind.__name__ == "FinalAnswerTool" and kind.__module__ == "smolagents.default_tools"


def _given(tool: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """A tool takes its arguments by place, by name, or as one dictionary of them."""
    inputs = getattr(tool, "inputs", {})
    if len(args) == 1 and not kwargs and isinstance(args[0], dict) and all(name in inputs for name in args[0]):
        return dict(args[0])
    return named(list(inputs), args, kwargs)


def _delegate(original: Any, gate: Gate) -> Any:
    def delegate(self: Any, task: str, **kwargs: Any) -> Any:
        given = {"task": task, **kwargs}
        return gate.run(
            lambda: ToolUse(self.name or type(self).__name__, given),
            lambda changed: original(self, **(given if changed is None else with_changes(self.name, given, changed))),
            raised,
        )

    return delegate


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real agent call a tool that calls `spy`, with nothing but `install`."""
    from smolagents import ChatMessage, MessageRole, Model, Tool, ToolCallingAgent
    from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction

    class Probed(Tool):
        name, description, output_type = "probed", "Does what the proof watches.", "string"
        inputs: Any = {}  # noqa: RUF012 - the framework's own way to declare them

        def forward(self) -> str:
            spy()
            return "ran"

    class Scripted(Model):
        def generate(self, messages: Any, **options: Any) -> Any:
            answered = any("probed" in str(message.content) for message in messages[2:])
            name, args = ("final_answer", {"answer": "done"}) if answered else ("probed", {})
            call = ChatMessageToolCall(
                function=ChatMessageToolCallFunction(name=name, arguments=args), id="call-1", type="function"
            )
            return ChatMessage(MessageRole.ASSISTANT, tool_calls=[call])

    with installed(install, governor):
        ToolCallingAgent([Probed()], Scripted(), max_steps=2, verbosity_level=-1).run("prove it")
