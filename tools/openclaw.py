"""Prove the OpenClaw plugin (agent/openclaw) in a real OpenClaw, with a scripted model and a real control plane.

`FRAMEWORKS=openclaw make test-frameworks` runs it. OpenClaw is installed from requirements/frameworks/openclaw into
.venvs/openclaw; it needs npm, and Node 24, which npm brings where the machine's own is older. Whether a command ran is
read from the file it writes.
"""

import json
import os
import platform
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mutx_agent.transport.http import HttpTransport
from tools.framework_rows import OPENCLAW, PLUGIN, lock_of
from tools.sources import ROOT

FOLDER = ROOT / ".venvs" / OPENCLAW
NODE = 24
"""The oldest major version that this OpenClaw starts on."""
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


def node() -> Path:
    """A Node that is new enough: this machine's, or one from npm. Raises FileNotFoundError without npm."""
    brought = FOLDER / "node" / "node_modules" / "node" / "bin" / "node"
    present = shutil.which("node")
    if present is not None and _major(present) >= NODE:
        return Path(present)
    if not brought.exists():
        brought.parents[3].mkdir(parents=True, exist_ok=True)
        _npm(["install", "--prefix", brought.parents[3], f"node@{NODE}"], os.environ["PATH"])
    return brought


def _major(program: str) -> int:
    shown = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return int(shown.strip().removeprefix("v").partition(".")[0])


def environment() -> tuple[Path, Path]:
    """Node, and the OpenClaw of the lock; installed if it is missing or the lock is newer."""
    runs, lock, stamp = node(), lock_of(OPENCLAW), FOLDER / ".ready"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        for file in (lock, lock.with_name("package.json")):
            shutil.copy(file, FOLDER)
        _npm(["ci", "--prefix", FOLDER], f"{runs.parent}{os.pathsep}{os.environ['PATH']}")
        stamp.touch()
    return runs, FOLDER / "node_modules" / OPENCLAW


def _npm(arguments: list[str | Path], path: str) -> None:
    command: list[str | Path] = ["npm", *arguments, "--no-audit", "--no-fund", "--loglevel", "error"]
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})


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
    if decision != "down":
        judge_receipts(decision, operator)


def judge_receipts(decision: str, operator: HttpTransport) -> None:
    """The call was decided once, and what was carried out has its result in the receipts."""
    operator.close()
    receipts = operator.request("GET", f"/v1/security/receipts/session/{decision}")["receipts"]
    ran = [receipt for receipt in receipts if receipt["kind"] == "outcome" and receipt["tool_name"] == "exec"]
    calls = {receipt["action_id"] for receipt in receipts if receipt["tool_name"] == "exec"}
    assert len(calls) == 1, f"{decision}: {len(calls)} calls were decided"
    assert len(ran) == (0 if decision == "deny" else 1), f"{decision}: {len(ran)} outcomes"


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


def prove(variables: dict[str, str]) -> dict[str, Any]:
    """The report of a run in which every case held. Raises AssertionError with the first that did not."""
    runs, package = environment()
    operator = HttpTransport(variables["SUITE_URL"], api_key=variables["SUITE_OPERATOR_TOKEN"])
    operator.request("PUT", "/v1/policies/openclaw", {"name": "openclaw", "document": POLICY})
    try:
        for decision in CASES:
            started = time.perf_counter()
            play(decision, package / "openclaw.mjs", runs, variables, operator)
            print(f"ok   openclaw {decision} {time.perf_counter() - started:.2f} s", flush=True)
    finally:
        operator.close()  # a connection that was idle for so long may be gone
        operator.request("DELETE", "/v1/policies/openclaw")
        operator.close()
    return {
        "name": OPENCLAW,
        "versions": {OPENCLAW: json.loads((package / "package.json").read_text("utf-8"))["version"]},
        "python": platform.python_version(),
        "node": _major(str(runs)),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "hook": "before_tool_call and after_tool_call (the plugin agent/openclaw)",
        "patch": "nothing: OpenClaw loads the plugin",
        "out_of_reach": "an OpenClaw that is started without the plugin; tools that the model's provider runs",
        "passed": {"hook": {"agent": list(CASES)}},
        "absent": {},
        "failed": {},
    }
