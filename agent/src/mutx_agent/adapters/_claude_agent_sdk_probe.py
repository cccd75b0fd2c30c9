"""Claude Code as far as a probe needs it: it says hello, asks its hooks about one tool call, and runs it if they let it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any


def scripted(spy: Callable[[], None]) -> Any:
    """A transport of the SDK's that plays the part."""
    from claude_agent_sdk import Transport

    class Scripted(Transport):
        def __init__(self) -> None:
            self.asked = asyncio.Event()
            self._answers: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

        async def connect(self) -> None:
            return

        async def write(self, data: str) -> None:
            message = json.loads(data)
            if message["type"] == "control_request":
                self._greet(message)
            elif message["type"] == "control_response":
                self._conclude(message["response"])

        def _greet(self, message: dict[str, Any]) -> None:
            hello = {"hook_on_failure_supported": True, "hooks_applied": True, "commands": []}
            answer = {"subtype": "success", "request_id": message["request_id"], "response": hello}
            self._answers.put_nowait({"type": "control_response", "response": answer})
            for matcher in ((message["request"].get("hooks") or {}).get("PreToolUse")) or [{}]:
                self._ask((matcher.get("hookCallbackIds") or [None])[0])

        def _ask(self, callback_id: str | None) -> None:
            if callback_id is None:  # nobody is asked, so nothing holds the tool back
                self._conclude({"subtype": "success", "response": {}})
                return
            call = {"hook_event_name": "PreToolUse", "tool_name": "probed", "tool_input": {}, "tool_use_id": "call-1"}
            request = {"subtype": "hook_callback", "callback_id": callback_id, "tool_use_id": "call-1", "input": call}
            self._answers.put_nowait({"type": "control_request", "request_id": "ask-1", "request": request})

        def _conclude(self, answer: dict[str, Any]) -> None:
            """As Claude Code reads it: an error of a hook that blocks on failure is a no."""
            decision = ((answer.get("response") or {}).get("hookSpecificOutput") or {}).get("permissionDecision")
            if answer["subtype"] == "success" and decision in (None, "allow"):
                spy()
            self.asked.set()

        async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
            while (message := await self._answers.get()) is not None:
                yield message

        async def close(self) -> None:
            self._answers.put_nowait(None)

        def is_ready(self) -> bool:
            return True

        async def end_input(self) -> None:
            return

    return Scripted()
