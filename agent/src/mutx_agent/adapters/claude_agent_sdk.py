"""Claude Agent SDK, by its hooks, or without a change to the program.

    ClaudeSDKClient(governed_options(options))
    mutx_agent.hooks.install("claude_agent_sdk")

Tools run in Claude Code's own process (and those of in-process servers in this one); it asks here before each of them,
those of sub-agents included: `PreToolUse` decides, `PostToolUse` and `PostToolUseFailure` conclude. The hook blocks when
it fails itself (`on_failure="block"`; the SDK refuses a Claude Code that cannot). An allowed call still has to pass Claude
Code's own permissions. `install` gives these hooks to every connection that the SDK opens.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from mutx_agent.action import GovernedAction
from mutx_agent.adapters._common import Gate, ToolUse, failing_closed
from mutx_agent.adapters._patch import Uninstall, installed, patch
from mutx_agent.errors import ActionDenied
from mutx_agent.governor import Governor

RUNTIME = "claude_agent_sdk"
PATIENCE = 7 * 24 * 3600.0
"""Seconds that Claude Code waits for the hook: people may be asked, and the request has a deadline of its own."""
Hook = Callable[[Any, str | None, Any], Awaitable[dict[str, Any]]]


class ToolHooks:
    """What the hooks of one connection do. They share the calls that run."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._running: dict[str, GovernedAction] = {}

    async def before(self, call: Any, tool_use_id: str | None, context: Any) -> dict[str, Any]:
        """For `PreToolUse`."""
        try:
            with failing_closed():
                step = self._gate.step(
                    lambda: ToolUse(call["tool_name"], call["tool_input"], session_id=call.get("session_id"))
                )
            if step.action is None:
                return {}
            await step.action.abegin()
        except ActionDenied as denial:
            return _answer(permissionDecision="deny", permissionDecisionReason=str(denial))
        self._running[tool_use_id or call["tool_use_id"]] = step.action
        if not step.action.permission.modified:
            return {}
        return _answer(permissionDecision="allow", updatedInput=step.action.args)

    async def after(self, call: Any, tool_use_id: str | None, context: Any) -> dict[str, Any]:
        """For `PostToolUse` and `PostToolUseFailure`."""
        action = self._running.pop(tool_use_id or call["tool_use_id"], None)
        if action is not None:
            action.result, action.error = call.get("tool_response"), call.get("error")
            await action.aend()
        return {}

    def table(self) -> dict[str, tuple[Hook, str | None]]:
        """Event -> what is called, and what its failure means."""
        return {
            "PreToolUse": (self.before, "block"),
            "PostToolUse": (self.after, None),
            "PostToolUseFailure": (self.after, None),
        }


def _answer(**decision: Any) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **decision}}


def governed_options(options: Any = None, governor: Governor | None = None, *, deadline: float | None = None) -> Any:
    """A copy of `ClaudeAgentOptions` with hooks that have every tool call decided first. One copy for one connection."""
    from claude_agent_sdk import ClaudeAgentOptions, HookMatcher

    options = options or ClaudeAgentOptions()
    hooks: dict[str, list[Any]] = {event: list(matchers) for event, matchers in (options.hooks or {}).items()}
    for event, (hook, on_failure) in ToolHooks(Gate(RUNTIME, governor, deadline)).table().items():
        ours = HookMatcher(hooks=[hook], timeout=PATIENCE, on_failure=on_failure)
        hooks.setdefault(event, []).append(ours)
    return replace(options, hooks=hooks)


def install(governor: Governor | None = None) -> Uninstall:
    """Give the hooks to every connection that is opened from now on. Raises HookNotFound."""
    return patch("claude-agent-sdk", RUNTIME, governor, {"claude_agent_sdk._internal.query:Query.__init__": _init})


def _init(original: Any, gate: Gate) -> Any:
    def init(self: Any, transport: Any, is_streaming_mode: bool, *args: Any, **options: Any) -> None:
        if gate.open:
            original(self, transport, is_streaming_mode, *args, **options)
            return
        if not is_streaming_mode:
            raise ActionDenied(
                "hooks need the SDK's streaming mode", reason_code="hook_failed", tool_name="the connection"
            )
        original(self, transport, is_streaming_mode, *args, **options)
        hooks = {event: list(matchers) for event, matchers in (self.hooks or {}).items()}
        if any(_is_ours(hook) for matcher in hooks.get("PreToolUse", []) for hook in matcher["hooks"]):
            return
        for event, (hook, on_failure) in ToolHooks(gate).table().items():
            ours = {"matcher": None, "hooks": [hook], "timeout": PATIENCE}
            hooks.setdefault(event, []).append(ours if on_failure is None else {**ours, "on_failure": on_failure})
        self.hooks = hooks

    return init


def _is_ours(hook: Any) -> bool:
    return isinstance(getattr(hook, "__self__", None), ToolHooks)


def probe(governor: Governor, spy: Callable[[], None]) -> None:
    """Have the SDK answer a scripted Claude Code that asks before it runs a tool that calls `spy`."""
    _connect(spy, governed_options(governor=governor))


def probe_installed(governor: Governor, spy: Callable[[], None]) -> None:
    """The same with nothing but `install`."""
    from claude_agent_sdk import ClaudeAgentOptions

    with installed(install, governor):
        _connect(spy, ClaudeAgentOptions())


def _connect(spy: Callable[[], None], options: Any) -> None:
    import asyncio

    from claude_agent_sdk import ClaudeSDKClient

    from mutx_agent.adapters._claude_agent_sdk_probe import scripted

    async def run() -> None:
        transport = scripted(spy)
        async with ClaudeSDKClient(options, transport=transport):
            await asyncio.wait_for(transport.asked.wait(), 30)

    asyncio.run(run())
