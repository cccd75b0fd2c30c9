"""A local server that speaks a model provider's wire (chat completions) and says what the demo's script says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from mutx.cli.demo.agent.script import STEPS, fill


def next_message(messages: list[dict[str, Any]]) -> dict[str, Any]:
    turn = sum(message["role"] == "assistant" for message in messages)
    if turn == len(STEPS):
        return {"role": "assistant", "content": "done"}
    result = messages[-1]["content"]
    args = {name: fill(value, result) for name, value in STEPS[turn].args.items()}
    function = {"name": STEPS[turn].tool, "arguments": json.dumps(args)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"call_{turn}", "type": "function", "function": function}],
    }


class ChatCompletions(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert {tool["function"]["name"] for tool in asked["tools"]} == {step.tool for step in STEPS}
        message = next_message(asked["messages"])
        reason = "tool_calls" if message["content"] is None else "stop"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        answer = {
            "id": "chat-1",
            "object": "chat.completion",
            "created": 1,
            "model": asked["model"],
            "choices": [choice],
        }
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def chat_completions() -> Iterator[str]:
    """The server's address, as `OPENAI_BASE_URL` wants it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), ChatCompletions) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
