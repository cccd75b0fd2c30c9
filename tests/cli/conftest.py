"""The command line against a real control plane, in this process where a test can look, in its own where it must."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.cli.main import cli
from mutx.sdk import MutxClient
from tests.sdk import local

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalControlPlane]:
    with local.control_plane(tmp_path_factory.mktemp("plane")) as plane:
        with local.sign_in(plane) as client:
            local.apply_policy(client)
        yield plane


@pytest.fixture
def client(plane: LocalControlPlane) -> Iterator[MutxClient]:
    with local.sign_in(plane) as client:
        yield client


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An operator's own home, with nothing in it yet."""
    for name in ("URL", "SOCKET", "API_KEY", "AGENT_ID", "SESSION_ID"):
        monkeypatch.delenv(f"MUTX_{name}", raising=False)
    monkeypatch.setenv("MUTX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def address(plane: LocalControlPlane, monkeypatch: pytest.MonkeyPatch) -> str:
    """The control plane, named by the environment."""
    monkeypatch.setenv("MUTX_URL", plane.url)
    return plane.url


@pytest.fixture
def run() -> Run:
    """One command; a failure that was not expected shows its output."""

    def invoke(*words: str, exits: int = 0, typed: str | None = None) -> Result:
        result = CliRunner().invoke(cli, list(words), input=typed, prog_name="mutx")
        assert result.exit_code == exits, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        return result

    return invoke


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    """One command's answer as JSON."""

    def invoke(*words: str) -> Any:
        return json.loads(run(*words, "--json").stdout)

    return invoke


@pytest.fixture
def signed_in(run: Run, address: str) -> None:
    run("login", "--local")
