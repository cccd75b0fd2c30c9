"""Claude Agent SDK and the Claude Code that comes with it, talking to a scripted model of ours on loopback."""

import asyncio
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from claude_agent_sdk import (
    AgentDefinition,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ResultMessage,
    ToolResultBlock,
    create_sdk_mcp_server,
    tool,
)

from mutx_agent import Governor
from mutx_agent.adapters.claude_agent_sdk import governed_options
from tests.frameworks.driver import Call, Driver, Scenario
from tests.frameworks.world import World

PUT = "mcp__notes__put"


class ClaudeAgentSDKDriver(Driver):
    name = "claude_agent_sdk"
    distributions = ("claude-agent-sdk",)
    tool = PUT
    hook = "PreToolUse, PostToolUse and PostToolUseFailure hooks (`governed_options`)"
    patch = "claude_agent_sdk._internal.query.Query.__init__, which gets these hooks"
    absent: ClassVar = {
        "sync": "the SDK is asynchronous",
        "async, sync tool": "tools of in-process servers are coroutine functions",
        "nested": "a tool's own code cannot have Claude Code run another",
    }
    handoff_tools = frozenset({"Agent", "Task"})
    out_of_reach = "tools that the model's provider runs; Claude Code processes that the SDK did not start"

    def run(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        return asyncio.run(self.arun(scenario, world, governor))

    async def arun(self, scenario: Scenario, world: World, governor: Governor | None) -> list[str]:
        # Where a tool has failed, the model asks again.
        turns = [[Call(PUT, call.args) for call in calls] for calls in scenario.turns] * (2 if scenario.flaky else 1)
        over: Any = {
            "description": "write",
            "prompt": "write it",
            "subagent_type": "worker",
            "run_in_background": False,
        }
        script = _model(turns, [Call("Agent", over)] if scenario.handoff else [])
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, script as (url, told):
            options = _options(home, url, world, scenario)
            if governor is not None:
                options = governed_options(options, governor)
            async with ClaudeSDKClient(options) as client:
                await client.query("write the note")
                async for message in client.receive_response():
                    for block in getattr(message, "content", None) or []:
                        if isinstance(block, ToolResultBlock):
                            told.append(str(block.content))
                    if isinstance(message, ResultMessage):
                        assert not message.is_error, message
        return told


def _options(home: str, url: str, world: World, scenario: Scenario) -> ClaudeAgentOptions:
    @tool("put", "Write a note.", {"key": str, "text": str})
    async def put(args: dict[str, Any]) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": await world.aput(**args)}]}

    worker = AgentDefinition(description="Writes notes.", prompt="You write notes.", tools=[PUT], background=False)
    return ClaudeAgentOptions(
        mcp_servers={"notes": create_sdk_mcp_server("notes", tools=[put])},
        allowed_tools=[PUT, "Agent", "Task"],
        tools=["Agent", "Task"] if scenario.handoff else [],
        agents={"worker": worker} if scenario.handoff else None,
        include_partial_messages=scenario.mode == "stream",
        cwd=home,
        setting_sources=[],
        model="claude-sonnet-4-5",
        env={
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "scripted",
            "CLAUDE_CONFIG_DIR": home,
            "HOME": home,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
        },
    )


@contextmanager
def _model(turns: list[list[Call]], first: list[Call]) -> Iterator[tuple[str, list[str]]]:
    """A messages API whose model asks for tools turn by turn and then says `done`; and what it was told."""
    told: list[str] = []
    script = iter([first, *turns] if first else turns)
    lock = threading.Lock()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            return

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            names = {offered["name"] for offered in asked.get("tools", [])}
            with lock:
                _hear(asked, told)
                calls = next(script, []) if names else []
            data = _stream(asked.get("model"), calls)
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _hear(asked: dict[str, Any], told: list[str]) -> None:
    for message in asked.get("messages", []):
        content = message["content"] if isinstance(message["content"], list) else []
        told += [str(block["content"]) for block in content if block["type"] == "tool_result"]


def _stream(model: Any, calls: list[Call]) -> bytes:
    """One assistant message as server-sent events."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    shell = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [], "usage": usage}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**shell, "stop_reason": None}}]
    for index, call in enumerate(calls or [None]):
        if call is None:
            block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": "done"}
        else:
            block = {"type": "tool_use", "id": f"toolu_{id(call)}_{index}", "name": call.tool, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call.args)}
        events += [
            {"type": "content_block_start", "index": index, "content_block": block},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    ending = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    events += [{"type": "message_delta", "delta": ending, "usage": usage}, {"type": "message_stop"}]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


DRIVER = ClaudeAgentSDKDriver()
