"""A scripted control plane and a governor in front of it, through each door."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mutx_agent import Governor
from tests.agent.scripted_plane import ScriptedPlane


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test speaks to a control plane that happens to run on this machine."""
    for name in ("URL", "SOCKET", "API_KEY", "AGENT_ID", "SESSION_ID"):
        monkeypatch.delenv(f"MUTX_{name}", raising=False)
    monkeypatch.setenv("MUTX_HOME", str(tmp_path / "home"))


@pytest.fixture
def plane() -> ScriptedPlane:
    return ScriptedPlane()


@pytest.fixture(params=["http", "uds", "embedded"])
def governor(request: pytest.FixtureRequest, plane: ScriptedPlane, tmp_path: Path) -> Iterator[Governor]:
    with plane.door(request.param, tmp_path) as transport:
        governor = Governor(transport, agent_id="bot")
        yield governor
        governor.close()
