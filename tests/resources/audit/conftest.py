from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.resources.governed import Governed, governed
from tests.server.plane import STORES, store_url


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Governed]:
    async with governed(tmp_path / "home") as made:
        yield made


@pytest.fixture(params=STORES)
async def plane_on_both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Governed]:
    async with governed(tmp_path / "home", store_url(request)) as made:
        yield made
