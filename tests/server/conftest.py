from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.plane import Plane, running


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with running(tmp_path / "home") as made:
        yield made
