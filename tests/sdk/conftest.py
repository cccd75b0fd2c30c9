"""One control plane for all tests of the SDK."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mutx.cli.demo.control_plane import LocalControlPlane
from mutx.sdk import MutxClient
from tests.sdk import local


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalControlPlane]:
    with local.control_plane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture
def client(plane: LocalControlPlane) -> Iterator[MutxClient]:
    with local.sign_in(plane) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("URL", "SOCKET", "API_KEY", "AGENT_ID", "SESSION_ID"):
        monkeypatch.delenv(f"MUTX_{name}", raising=False)
    monkeypatch.setenv("MUTX_HOME", str(tmp_path / "home"))
