"""`mutx run` as people start it: a process of its own, at a control plane of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.sdk import MutxClient
from tests.sdk import local

PYTHON = sys.executable
ROOT = Path(__file__).parents[3]
TRACER = "COVERAGE_PROCESS_CONFIG"
"""By this the tests' coverage follows into child processes, if it is measured at all."""

POLICY = """
name: run
default: deny
rules:
  - {id: start, match: {tool: mutx.run}, when: args.program != "forbidden", effect: allow}
  - {id: asked, match: {tool: mutx.run}, when: args.program == "asked" , effect: step_up, priority: 1}
  - id: changed
    match: {tool: mutx.run}
    when: args.program == "changed"
    effect: modify
    modify: [{set: program, value: other}]
    priority: 1
  - {id: greet, match: {tool: greet}, effect: allow}
  - {id: public, match: {tool: http.request}, when: args.path.startsWith("/public"), effect: allow}
"""


@pytest.fixture(scope="session")
def run_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalControlPlane]:
    with local.control_plane(tmp_path_factory.mktemp("run")) as plane:
        with local.sign_in(plane) as client:
            local.apply_policy(client, POLICY, "run")
        yield plane


@pytest.fixture
def operator(run_plane: LocalControlPlane) -> Iterator[MutxClient]:
    with local.sign_in(run_plane) as client:
        yield client


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the program works, apart from pytest's own folders, in which other tests' secrets lie."""
    with tempfile.TemporaryDirectory(prefix="run-") as name:
        yield Path(name)


Launch = Callable[..., "subprocess.CompletedProcess[str]"]
Script = Callable[[str], str]


@pytest.fixture
def environment(run_plane: LocalControlPlane) -> dict[str, str]:
    """Without an address: the home's client file names the socket of the control plane there."""
    kept = {name: value for name, value in run_plane.environment.items() if name != "MUTX_URL"}
    return {**kept, "SOME_API_KEY": "k-123", "OTHER": "plain"}


@pytest.fixture
def launch(environment: dict[str, str], folder: Path) -> Launch:
    """`mutx run WORDS` in the folder, until it ends."""

    traced = [*("--env", TRACER), *("--write", str(ROOT))] if TRACER in os.environ else []

    def start(*words: str, exits: int = 0, **more: Any) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-P", "-m", "mutx", "run", *traced, *words],
            env={**environment, **more.pop("env", {})},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            **more,
        )
        assert done.returncode == exits, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return start


@pytest.fixture
def script(folder: Path) -> Script:
    """A program in the folder; its name."""

    def write(text: str, name: str = "program.py") -> str:
        (folder / name).write_text(text, "utf-8")
        return name

    return write


def enforcement(folder: Path) -> dict[str, dict[str, str]]:
    report: dict[str, dict[str, str]] = json.loads((folder / "report.json").read_text())["layers"]
    return report
