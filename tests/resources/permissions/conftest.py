from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mutx.server.wiring import ControlPlane
from tests.faults.world import started
from tests.server.conftest import plane_on_both as plane_on_both


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    async with started(tmp_path / "home") as made:
        yield made
