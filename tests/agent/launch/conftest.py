"""Python processes as `mutx run` would have them, at a scripted control plane; what confines itself does so in a process
of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mutx.cli.run.journal import Journal
from mutx.cli.run.relay import RunRelay
from mutx.cli.run.services import RunServices, unix_listener
from mutx_agent.launch.order import Order, to_environment, with_bootstrap
from mutx_agent.transport.embedded import EmbeddedTransport
from tests.agent.scripted_plane import ScriptedPlane

ROOT = Path(__file__).parents[3]


class RunningRelay:
    """A run's socket, and what arrives at it."""

    def __init__(self, folder: Path, plane: ScriptedPlane) -> None:
        self.folder = folder
        self.plane = plane
        self.journal = Journal()
        self.socket = str(folder / "run.sock")
        self._listener = unix_listener(self.socket)
        relay = RunRelay(EmbeddedTransport(server=plane), self.journal)
        self._services = RunServices(lambda: relay.serve(self._listener))
        self._services.start()

    def close(self) -> None:
        self._services.stop()
        self._listener.close()

    def python(self, code: str, *words: str, exits: int = 0, **order: Any) -> "subprocess.CompletedProcess[str]":
        """Run a program in a governed Python."""
        told = Order(socket=self.socket, agent_id="bot", session_id="run-session", **order)
        path = os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, **to_environment(told), "PYTHONPATH": with_bootstrap(path)}
        done = subprocess.run(
            [sys.executable, *words, "-c", code],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == exits, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


@pytest.fixture
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRelay]:
    folder = tmp_path_factory.mktemp("r")
    relay = RunningRelay(folder, ScriptedPlane())
    yield relay
    relay.close()


Alone = Callable[..., Any]


@pytest.fixture
def alone(tmp_path: Path) -> Alone:
    """Runs code in a process of its own; it ends with `say(...)`, which is what comes back."""

    def run(code: str, **names: Any) -> Any:
        prelude = "import json, os, socket, sys\ndef say(value): print(json.dumps(value))\n"
        prelude += f"names = json.loads({json.dumps(json.dumps(names))})\nROOT = {str(ROOT)!r}\n"
        done = subprocess.run(
            [sys.executable, "-c", prelude + code],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
