from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.resources.governed import Governed, governed
from tests.server.plane import STORES, store_url


@pytest.fixture(params=STORES)
async def plane(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Governed]:
    async with governed(tmp_path / "home", store_url(request)) as made:
        yield made
