"""What `mutx run` adds to the start of a program: in the program's process, and as a whole."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Plan, Result, result
from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.cli.run.journal import Journal
from mutx.cli.run.relay import RunRelay
from mutx.cli.run.services import RunServices, unix_listener
from mutx.contract.auth import LocalBootstrap
from mutx.contract.policies import PolicyWrite
from mutx.sdk import MutxClient
from mutx.sdk.credentials import MemoryTokens, TokenPair
from mutx_agent.launch.order import Order, to_environment, with_bootstrap
from mutx_agent.transport.embedded import EmbeddedTransport

POLICY = "name: run\ndefault: deny\nrules:\n  - {id: start, match: {tool: mutx.run}, effect: allow}\n"
PROGRAM = (sys.executable, "-c", "pass")


def run(plan: Plan) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        inside = _inside(plan, folder)
        whole = _whole(plan, folder)
    where = "a Python with every framework of the tests installed and none imported"
    return [
        result("run_bootstrap_ms", inside, "ms", f"{where}, hooks armed, less the same Python alone", 150),
        result(
            "run_start_ms",
            whole,
            "ms",
            "`mutx run -- python -c pass` at a running control plane, less the program alone",
            900,
        ),
    ]


def _inside(plan: Plan, folder: Path) -> list[float]:
    """Milliseconds that hooks and identity cost a process."""
    listener = unix_listener(str(folder / "run.sock"))
    services = RunServices(lambda: RunRelay(EmbeddedTransport(), Journal()).serve(listener))
    services.start()
    order = Order(socket=str(folder / "run.sock"), agent_id="bench", session_id="bench")
    governed = {**os.environ, **to_environment(order), "PYTHONPATH": with_bootstrap(os.environ.get("PYTHONPATH"))}
    try:
        _seconds(PROGRAM, governed, folder)
        return [_difference(PROGRAM, governed, folder) for _ in range(plan.rounds)]
    finally:
        services.stop()
        listener.close()


def _whole(plan: Plan, folder: Path) -> list[float]:
    """Milliseconds from the command to the end of a program that does nothing, beyond what that takes by itself."""
    plane = LocalControlPlane(folder / "home")
    plane.start()
    try:
        with MutxClient(plane.url) as stranger:
            made = stranger.auth.local_bootstrap(LocalBootstrap())
        with MutxClient(plane.url, tokens=MemoryTokens(TokenPair(made.access_token, made.refresh_token))) as client:
            client.policies.put("run", PolicyWrite(name="run", document=POLICY))
        environment = {name: value for name, value in plane.environment.items() if name != "MUTX_URL"}
        command = (sys.executable, "-P", "-m", "mutx", "run", "--quiet", "--", *PROGRAM)
        _seconds(command, environment, folder)
        return [_difference(command, environment, folder) for _ in range(plan.rounds)]
    finally:
        plane.stop()


def _difference(command: tuple[str, ...], environment: dict[str, str], folder: Path) -> float:
    alone = _seconds(PROGRAM, dict(os.environ), folder)
    return (_seconds(command, environment, folder) - alone) * 1000


def _seconds(command: tuple[str, ...], environment: dict[str, str], folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, cwd=folder, check=True, stderr=subprocess.DEVNULL)  # noqa: S603 - our own words
    return time.perf_counter() - started
