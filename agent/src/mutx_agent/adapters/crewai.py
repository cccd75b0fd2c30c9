"""CrewAI, by its tool call hooks, or without a change to the program.

    uninstall = register_hooks()
    mutx_agent.hooks.install("crewai")

CrewAI lets a call run when a hook raises anything but its own abort, so these hooks turn every failure into a block,
and its hooks are synchronous also in asynchronous crews, where waiting for people would hold up the event loop: use
`install` there. `install` stands in `run` and `arun` of every tool class (native function calls, MCP tools, tools that
code runs itself) and in `CrewStructuredTool.invoke` and `ainvoke` (ReAct agents). A denied call comes back to the model
as a `ToolFailure`, which CrewAI neither caches nor retries. Changed arguments go through the tool's argument schema.
Results that CrewAI answers from its own cache run no tool, and only the hooks see them.
"""

from collections.abc import Callable
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse, failing_closed
from mutx_agent.adapters._family import all_of, patch_family, place_of
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.adapters._probes import probed_by
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.scope import CURRENT, Scope
from mutx_agent.transport.base import Json

DISTRIBUTION, RUNTIME = "crewai", "crewai"
FAILED = "Error executing tool: "
"""How CrewAI begins the answer of a tool that raised."""


class ToolCallHooks:
    """Decides before a tool call and concludes after it. One object serves all threads."""

    def __init__(self, governor: Governor | None = None, deadline: float | None = None) -> None:
        self._gate = Gate(RUNTIME, governor, deadline)
        # By the arguments' dict, which CrewAI hands to both hooks of one call; it is kept here, so its id stays its own.
        self._begun: dict[int, tuple[Any, GovernedAction | None, Scope]] = {}
        self._denied: dict[int, tuple[Any, ActionDenied]] = {}

    def before(self, context: Any) -> bool | None:
        """For `register_before_tool_call_hook`: False blocks the call."""
        key, given, outside = id(context.tool_input), context.tool_input, CURRENT.get()
        try:
            with failing_closed():
                step = self._gate.step(lambda: ToolUse(context.tool_name, dict(given), original_request=_task(context)))
                if step.action is not None:
                    step.action.begin()
                    if step.action.permission.modified:
                        changed = dict(step.action.args)
                        given.clear()
                        given.update(changed)
        except ActionDenied as denial:
            self._denied[key] = (given, denial)
            return False
        self._begun[key] = (given, step.action, outside)
        if step.action is not None:
            session, parent = step.action.session_id, step.action.action_id
            CURRENT.set(outside._replace(claim=step.claim, session_id=session, parent_action_id=parent))
        return None

    def after(self, context: Any) -> str | None:
        """For `register_after_tool_call_hook`: reports how the call ended, or tells the model why it did not run."""
        key, answer = id(context.tool_input), context.tool_result
        if key in self._denied:
            return str(self._denied.pop(key)[1])
        _, action, outside = self._begun.pop(key, (None, None, None))
        if outside is not None:
            CURRENT.set(outside)
        if action is not None:
            if isinstance(answer, str) and answer.startswith(FAILED):
                action.error = answer.removeprefix(FAILED)
            else:
                _note(action, context.raw_tool_result)
            action.end()
        return None


def _task(context: Any) -> str | None:
    description = getattr(getattr(context, "task", None), "description", None)
    return description if isinstance(description, str) else None


def register_hooks(governor: Governor | None = None, *, deadline: float | None = None) -> Uninstall:
    """Register both hooks for every crew of this process. Register last: hooks after it may change what was decided."""
    from crewai.hooks import (
        register_after_tool_call_hook,
        register_before_tool_call_hook,
        unregister_after_tool_call_hook,
        unregister_before_tool_call_hook,
    )

    hooks = ToolCallHooks(governor, deadline)
    before, after = hooks.before, hooks.after
    register_before_tool_call_hook(before)
    register_after_tool_call_hook(after)

    def uninstall() -> None:
        unregister_before_tool_call_hook(before)
        unregister_after_tool_call_hook(after)

    return uninstall


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every run of a CrewAI tool in this process. Raises HookNotFound."""
    structured = {
        "crewai.tools.structured_tool:CrewStructuredTool.invoke": _invoke,
        "crewai.tools.structured_tool:CrewStructuredTool.ainvoke": _ainvoke,
    }
    methods = {"run": _run, "arun": _arun}
    return all_of(
        lambda: patch_family(DISTRIBUTION, RUNTIME, governor, "crewai.tools.base_tool:BaseTool", lambda _: methods),
        lambda: patch(DISTRIBUTION, RUNTIME, governor, structured),
    )


def _run(original: Any, gate: Gate) -> Any:
    hook = place_of(original)

    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        def execute(changed: Json | None) -> Any:
            return original(self, *args, **kwargs) if changed is None else original(self, **changed)

        return gate.run(lambda: _described(self, _named(self, args, kwargs)), execute, _failure, _note, hook)

    return run


def _arun(original: Any, gate: Gate) -> Any:
    hook = place_of(original)

    async def arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        def execute(changed: Json | None) -> Any:
            return original(self, *args, **kwargs) if changed is None else original(self, **changed)

        return await gate.arun(lambda: _described(self, _named(self, args, kwargs)), execute, _failure, _note, hook)

    return arun


def _invoke(original: Any, gate: Gate) -> Any:
    def invoke(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002 - CrewAI's name for it
        def execute(changed: Json | None) -> Any:
            return original(self, input if changed is None else changed, *args, **kwargs)

        return gate.run(lambda: _described(self, self._parse_args(input)), execute, _failure, _note, "invoke")

    return invoke


def _ainvoke(original: Any, gate: Gate) -> Any:
    async def ainvoke(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        def execute(changed: Json | None) -> Any:
            return original(self, input if changed is None else changed, *args, **kwargs)

        return await gate.arun(lambda: _described(self, self._parse_args(input)), execute, _failure, _note, "invoke")

    return ainvoke


def _named(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Positional arguments by the names that the tool's schema gives them, in its order."""
    fields = list(getattr(tool.args_schema, "model_fields", None) or {})
    return {**dict(zip([*fields, *map(str, range(len(fields), len(args)))], args)), **kwargs}  # noqa: B905


def _described(tool: Any, args: dict[str, Any]) -> ToolUse:
    """Models know a tool by its sanitized name, so policies do, whatever path led here."""
    from crewai.utilities.string_utils import sanitize_tool_name

    return ToolUse(sanitize_tool_name(tool.name), args)


def _failure(denial: ActionDenied) -> Any:
    from crewai.tools.tool_failure import ToolFailure

    return ToolFailure(message=str(denial), code="mutx_denied", retryable=False)


def _note(action: GovernedAction, answer: Any) -> None:
    from crewai.tools.tool_failure import detect_tool_failure

    failure = detect_tool_failure(answer)
    if failure is not None:
        action.error = str(failure.message)
    else:
        action.result = answer


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have the framework run one native function call of a tool that calls `spy`, with the hooks."""
    uninstall = register_hooks(governor)
    try:
        _call(spy)
    finally:
        uninstall()


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """The same with nothing but `install`."""
    with installed(install, governor):
        _call(spy)


def _call(spy: Callable[[], None]) -> None:
    from types import SimpleNamespace

    from crewai.tools import tool
    from crewai.utilities.agent_utils import convert_tools_to_openai_schema, execute_single_native_tool_call

    asking = tool("probed")(probed_by(spy))
    _, functions, _ = convert_tools_to_openai_schema([asking])
    call = SimpleNamespace(id="call-1", function=SimpleNamespace(name="probed", arguments="{}"))
    execute_single_native_tool_call(
        call,
        available_functions=functions,
        original_tools=[asking],
        structured_tools=None,
        tools_handler=None,
        agent=None,
        task=None,
        crew=None,
        event_source=None,
        printer=None,
    )
