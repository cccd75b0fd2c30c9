"""Prove the OpenClaw plugin (agent/openclaw) in a real OpenClaw, with a scripted model and a real control plane.

    python -m tools.openclaw FOLDER NODE

FOLDER has `node_modules/openclaw` in it (`npm install openclaw@2026.9.6`), NODE is a node that OpenClaw runs on (24).
Whether a command ran is read from the file it writes. A run in which every case held writes docs/openclaw.json: versions,
and the digest of the plugin that was proved.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mutx_agent.transport.http import HttpTransport
from tools.frameworks import control_plane
from tools.sources import ROOT

PLUGIN = ROOT / "agent" / "openclaw"
RESULT = ROOT / "docs" / "openclaw.json"
LIMIT = 240.0
POLICY = """
name: openclaw
default: deny
rules:
  - {id: no, match: {tool: exec}, when: 'args.command.contains("forbidden")', effect: deny, priority: 1, reason: the proof forbids it}
  - id: masked
    match: {tool: exec}
    when: args.command.contains("secret-")
    effect: modify
    priority: 2
    modify:
      - {redact: command, pattern: "secret-[a-z0-9]+", replacement: "gone"}
  - {id: asked, match: {tool: exec}, when: 'args.command.contains("asked")', effect: step_up, priority: 3, reason: the proof asks}
  - {id: known, match: {tool: "*"}, effect: allow, priority: 900}
"""
CASES = {
    "allow": ("fine", "fine", None),
    "deny": ("forbidden", None, "the proof forbids it"),
    "modify": ("secret-a1", "gone", None),
    "step_up": ("asked", "asked", None),
    "down": ("fine", None, "cannot be reached"),
}
"""Decision -> text that the command would write, text that it writes, what the model is told instead."""


def digest() -> str:
    files = sorted(path for path in PLUGIN.iterdir() if path.suffix in {".js", ".json"})
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@contextmanager
def scripted_model(command: str) -> Iterator[tuple[str, list[str]]]:
    """A chat completions API whose model runs one command and is done; and what it was told."""
    told: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            return

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            results = [str(message["content"]) for message in asked["messages"] if message["role"] == "tool"]
            told[:] = results or told
            call = {"name": "exec", "arguments": json.dumps({"command": command})}
            first: dict[str, Any] = {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": call}]}
            delta, reason = ({"content": "done"}, "stop") if results else (first, "tool_calls")
            shell = {"id": "chat", "object": "chat.completion.chunk", "created": 1, "model": asked["model"]}
            parts = [
                {**shell, "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}]},
                {**shell, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
            ]
            data = "".join(f"data: {json.dumps(part)}\n\n" for part in parts).encode() + b"data: [DONE]\n\n"
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", told
    finally:
        server.shutdown()
        server.server_close()


def settings(model_url: str, workspace: Path) -> dict[str, Any]:
    model = {"id": "m", "name": "m", "reasoning": False, "input": ["text"], "contextWindow": 128000, "maxTokens": 4096}
    provider = {"baseUrl": model_url, "apiKey": "none", "api": "openai-completions", "models": [model]}
    return {
        "models": {"providers": {"scripted": provider}},
        "agents": {"defaults": {"model": {"primary": "scripted/m"}, "workspace": str(workspace)}},
        "tools": {"exec": {"security": "full", "ask": "off"}},
        "plugins": {"load": {"paths": [str(PLUGIN)]}, "entries": {"mutx": {"enabled": True}}},
    }


def play(decision: str, openclaw: Path, node: Path, variables: dict[str, str], operator: HttpTransport) -> None:
    """One turn of one agent. Raises AssertionError with what did not hold."""
    text, written, refusal = CASES[decision]
    with tempfile.TemporaryDirectory(prefix="mutx-openclaw-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        note = home / "note.txt"
        with scripted_model(f"echo {text} >> {note}") as (url, told):
            (home / ".openclaw").mkdir()
            (home / ".openclaw" / "openclaw.json").write_text(json.dumps(settings(url, home / "workspace")))
            door = "http://127.0.0.1:9" if decision == "down" else variables["SUITE_URL"]
            env = {
                "PATH": os.environ["PATH"],
                "HOME": folder,
                "MUTX_URL": door,
                "MUTX_API_KEY": variables["SUITE_AGENT_KEY"],
                "MUTX_AGENT_ID": variables["SUITE_AGENT_ID"],
            }
            command: list[str | Path] = [
                node,
                openclaw,
                "agent",
                "--local",
                "--json",
                "--session-id",
                decision,
                "-m",
                "write the note",
            ]
            person = threading.Thread(target=approve, args=(operator, note), daemon=True)
            if decision == "step_up":
                person.start()
            done = subprocess.run(
                command, env=env, cwd=home, capture_output=True, text=True, timeout=LIMIT, check=False
            )
        found = note.read_text().strip() if note.exists() else None
        assert done.returncode == 0, done.stderr[-2000:]
        assert found == written, f"{decision}: written {found!r}, allowed {written!r}; the model was told {told}"
        assert refusal is None or any(refusal in one for one in told), f"{decision}: the model was told {told}"


def approve(operator: HttpTransport, note: Path) -> None:
    """A person who says yes once, to a call that has not run."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        operator.close()  # a connection that was idle for so long may be gone
        waiting = operator.request("GET", "/v1/approvals?status=PENDING&limit=10")["items"]
        if waiting and not note.exists():
            operator.request("POST", f"/v1/approvals/{waiting[0]['id']}/approve", {})
            return
        time.sleep(0.2)


def main() -> int:
    folder, node = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    package = folder / "node_modules" / "openclaw"
    made = {"version": json.loads((package / "package.json").read_text())["version"], "plugin_sha256": digest()}
    with control_plane() as variables:
        operator = HttpTransport(variables["SUITE_URL"], api_key=variables["SUITE_OPERATOR_TOKEN"])
        operator.request("PUT", "/v1/policies/openclaw", {"name": "openclaw", "document": POLICY})
        for decision in CASES:
            play(decision, package / "openclaw.mjs", node, variables, operator)
            print(f"ok   openclaw {decision}", flush=True)
    made |= {"date": time.strftime("%Y-%m-%d", time.gmtime()), "proved": list(CASES)}
    RESULT.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
