"""One key signs the receipts of one store, whichever home a process starts from."""

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mutx.kit.errors import KeyUnusable, SetupError
from mutx.server.wiring import ControlPlane, build
from mutx.services.signing import rotate
from tests.faults.world import settings
from tests.server.plane import STORES, store_url


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return store_url(request) or f"sqlite:///{tmp_path / 'shared.db'}"


@asynccontextmanager
async def started(home: Path, url: str) -> AsyncIterator[ControlPlane]:
    plane = await build(settings(home, database_url=url))
    try:
        yield plane
    finally:
        await plane.stop()


async def key_of(home: Path, url: str) -> str:
    async with started(home, url) as plane:
        return plane.services.signer.key_id


def renew(home: Path) -> str:
    return rotate(home / "keys" / "receipts.pem", home / "keys" / "receipts.jwks.json", now=time.time()).key_id


async def test_a_home_with_another_key_is_refused_before_there_is_a_receipt(url: str, tmp_path: Path) -> None:
    signs = await key_of(tmp_path / "a", url)
    with pytest.raises(KeyUnusable, match="missing"):
        await key_of(tmp_path / "b", url)
    assert not (tmp_path / "b" / "keys" / "receipts.pem").exists()
    await key_of(tmp_path / "c", "")
    with pytest.raises(SetupError, match=f"signed with the key {signs}.*copy receipts.pem"):
        await key_of(tmp_path / "c", url)
    shutil.copytree(tmp_path / "a" / "keys", tmp_path / "c" / "keys", dirs_exist_ok=True)
    assert await key_of(tmp_path / "c", url) == signs


async def test_a_key_that_was_rotated_takes_over_and_the_old_one_starts_nothing(url: str, tmp_path: Path) -> None:
    old = await key_of(tmp_path / "a", url)
    shutil.copytree(tmp_path / "a" / "keys", tmp_path / "b" / "keys")
    new = renew(tmp_path / "a")
    assert await key_of(tmp_path / "b", url) == old  # nobody was told yet
    assert await key_of(tmp_path / "a", url) == new
    with pytest.raises(SetupError, match=new):
        await key_of(tmp_path / "b", url)
