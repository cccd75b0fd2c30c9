from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.world import World, inhabited, started


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with started(tmp_path / "home") as plane, inhabited(plane) as people:
        yield people
