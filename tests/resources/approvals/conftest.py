from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.resources.governed import Governed, governed


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Governed]:
    async with governed(tmp_path / "home") as made:
        yield made
