"""What one waits for: the server, the agent's import, the command line's help."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.harness import Plan, Result, result
from benchmarks.processes import free_port

LONGEST = 120.0
"""Seconds until a start counts as failed."""


def run(plan: Plan) -> list[Result]:
    starts = min(plan.rounds, 5)
    with tempfile.TemporaryDirectory(prefix="mutx-bench-") as home:
        _start(Path(home))
        ready = [_start(Path(home)) for _ in range(starts)]
    imports = [
        (_seconds("-c", "from mutx_agent import govern") - _seconds("-c", "pass")) * 1000 for _ in range(plan.rounds)
    ]
    helped = [_seconds("-m", "mutx", "--help") * 1000 for _ in range(plan.rounds)]
    return [
        result("up_to_ready_s", ready, "s", "second start on the same home, until GET /ready answers 200", 3),
        result(
            "import_mutx_agent_ms", imports, "ms", "a fresh interpreter that imports it, less one that does not", 60
        ),
        result("mutx_help_ms", helped, "ms", "a fresh process", 400),
    ]


def _seconds(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    return time.perf_counter() - started


def _start(home: Path) -> float:
    """Seconds from the command to readiness; the server is stopped again."""
    port = free_port()
    started = time.perf_counter()
    server = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "mutx", "up", "--port", str(port)],
        env={**os.environ, "MUTX_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _ready(port):
            if server.poll() is not None or time.perf_counter() - started > LONGEST:
                raise RuntimeError(f"`mutx up` did not become ready (exit status {server.poll()})")
            time.sleep(0.005)
        return time.perf_counter() - started
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(LONGEST)
        finally:
            server.kill()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
