"""A control plane ends also when its database went first."""

import logging
from pathlib import Path

import pytest

from mutx.server.settings import Settings
from mutx.server.wiring import build
from tests.postgres import Postgres


async def test_a_database_that_is_gone_keeps_no_process_from_ending(
    postgres: Postgres, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = postgres.migrated()
    plane = await build(Settings(home=tmp_path, database_url=postgres.url(name)))
    await plane.start()
    postgres.drop(name)
    plane.services.auth.failed_logins.append(("somebody", plane.services.clock.now()))
    with caplog.at_level(logging.ERROR):
        await plane.stop()
    assert "not on record" in caplog.text
    assert len(plane.services.auth.failed_logins) == 1, "a failed write forgets nothing"
