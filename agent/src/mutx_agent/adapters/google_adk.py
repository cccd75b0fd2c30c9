"""Google ADK, by a plugin of the runner, or without a change to the program.

    InMemoryRunner(agent, plugins=[GovernPlugin()])
    mutx_agent.hooks.install("google_adk")

A denied call comes back to the model as the tool's answer `{"error": why}`, which is how ADK's own tools report a
failure. Changed arguments go through the tool's own preparation. The plugin sees what models call; callbacks of an
agent that change arguments run after it, so with such callbacks use `install`, which stands in `run_async` of every
tool class, those defined later included: agents, live runs, workflows, agents as tools, transfers, MCP tools and tools
that code runs itself. Tools that the model's provider runs (search, code execution, retrieval) never reach this process,
and neither does a live streaming function, whose generator ADK consumes without `run_async`.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from mutx_agent.adapters._common import Gate, Step, ToolUse, failing_closed, when_asked_for
from mutx_agent.adapters._family import patch_family, place_of
from mutx_agent.adapters._patch import Uninstall, installed, run_aside
from mutx_agent.adapters._probes import probed_by
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor
from mutx_agent.scope import CURRENT
from mutx_agent.transport.base import Json

DISTRIBUTION, RUNTIME = "google-adk", "google-adk"


def install(governor: Governor | None = None) -> Uninstall:
    """Decide every run of an ADK tool in this process. Raises HookNotFound."""
    base = "google.adk.tools.base_tool:BaseTool"
    return patch_family(DISTRIBUTION, RUNTIME, governor, base, lambda _: {"run_async": _run_async})


def _run_async(original: Any, gate: Gate) -> Any:
    hook = place_of(original)

    async def run_async(self: Any, *, args: Any, tool_context: Any) -> Any:
        return await gate.arun(
            lambda: _described(self, args, tool_context, self),
            lambda changed: original(self, args=args if changed is None else changed, tool_context=tool_context),
            _refusal,
            _note,
            hook,
        )

    return run_async


def _described(tool: Any, args: Any, context: Any, same: Any) -> ToolUse:
    session = getattr(context, "session", None)
    content = getattr(context, "user_content", None)
    texts = [part.text for part in (getattr(content, "parts", None) or []) if getattr(part, "text", None)]
    return ToolUse(
        tool.name, args, session_id=getattr(session, "id", None), original_request=" ".join(texts) or None, tool=same
    )


def _refusal(denial: ActionDenied) -> Json:
    return {"error": str(denial)}


def _note(action: Any, answer: Any) -> None:
    failed = isinstance(answer, dict) and set(answer) == {"error"}
    if failed:
        action.error = str(answer["error"])
    else:
        action.result = answer


class _Open:
    """The actions that the plugin has begun and not yet concluded, by the context that the framework keeps for a call."""

    def __init__(self) -> None:
        self._steps: dict[int, tuple[Any, Step, Any]] = {}

    def begin(self, context: Any, step: Step) -> None:
        outside = CURRENT.get()
        self._steps[id(context)] = (context, step, outside)
        if step.action is not None:
            session, parent = step.action.session_id, step.action.action_id
            CURRENT.set(outside._replace(claim=step.claim, session_id=session, parent_action_id=parent))

    def end(self, context: Any) -> Any:
        """The action of this call, if it was allowed to run."""
        _, step, outside = self._steps.pop(id(context), (None, Step(), None))
        if outside is not None:
            CURRENT.set(outside)
        return step.action


@cache
def _plugin() -> Any:
    from google.adk.plugins.base_plugin import BasePlugin

    class GovernPlugin(BasePlugin):
        """A plugin for `Runner(plugins=[...])`: every tool call that a model makes is decided first."""

        def __init__(self, governor: Governor | None = None, *, deadline: float | None = None) -> None:
            super().__init__(name="mutx")
            self._gate = Gate(RUNTIME, governor, deadline)
            self._open = _Open()

        async def before_tool_callback(self, *, tool: Any, tool_args: Any, tool_context: Any) -> Any:
            try:
                with failing_closed():
                    step = self._gate.step(lambda: _described(tool, tool_args, tool_context, None))
                    if step.action is not None:
                        await step.action.abegin()
                        _change(tool_args, step)
            except ActionDenied as denial:
                return _refusal(denial)
            self._open.begin(tool_context, step)
            return None

        async def after_tool_callback(self, *, tool: Any, tool_args: Any, tool_context: Any, result: Any) -> Any:
            action = self._open.end(tool_context)
            if action is not None:
                _note(action, result)
                await action.aend()

        async def on_tool_error_callback(self, *, tool: Any, tool_args: Any, tool_context: Any, error: Any) -> Any:
            action = self._open.end(tool_context)
            if action is not None:
                await action.aend(error)

    return GovernPlugin


def _change(tool_args: dict[str, Any], step: Step) -> None:
    """ADK's way for a callback to change arguments: in place."""
    if step.action is not None and step.action.permission.modified:
        changed = dict(step.action.args)
        tool_args.clear()
        tool_args.update(changed)


__getattr__ = when_asked_for(__name__, GovernPlugin=_plugin)


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have a real runner with GovernPlugin call a tool that calls `spy`."""
    run_aside(lambda: _run_agent(spy, [_plugin()(governor)]))


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """The same with a plain runner and `install`."""
    with installed(install, governor):
        run_aside(lambda: _run_agent(spy, []))


async def _run_agent(spy: Callable[[], None], plugins: list[Any]) -> None:
    from google.adk.agents import LlmAgent
    from google.adk.models.base_llm import BaseLlm
    from google.adk.models.llm_response import LlmResponse
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    answers = iter([types.Part.from_function_call(name="probed", args={}), types.Part.from_text(text="done")])

    class ProofModel(BaseLlm):
        async def generate_content_async(self, llm_request: Any, stream: bool = False) -> Any:
            yield LlmResponse(content=types.Content(role="model", parts=[next(answers)]))

    runner = InMemoryRunner(
        LlmAgent(name="proof", model=ProofModel(model="proof"), tools=[probed_by(spy)]), plugins=plugins
    )
    session = await runner.session_service.create_session(app_name=runner.app_name, user_id="proof")
    question = types.Content(role="user", parts=[types.Part.from_text(text="prove it")])
    async for _ in runner.run_async(user_id="proof", session_id=session.id, new_message=question):
        pass
    await runner.close()
