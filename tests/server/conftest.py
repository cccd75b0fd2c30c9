from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.plane import STORES, Plane, running, store_url


@pytest.fixture
async def plane(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Plane]:
    async with running(tmp_path / "home", database_url=store_url(request)) as made:
        yield made


@pytest.fixture(params=STORES)
async def plane_on_both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Plane]:
    async with running(tmp_path / "home", database_url=store_url(request)) as made:
        yield made
