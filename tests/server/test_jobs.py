"""Where durable jobs are kept."""

from pathlib import Path

import pytest

from mutx.server.jobs import jobs_url
from mutx.server.settings import Settings


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "sqlite:///{home}/jobs.db"),
        ({"database_url": "sqlite:///{home}/other.db"}, "sqlite:///{home}/jobs.db"),
        (
            {"database_url": "postgresql://ann:s%40crt@db/mutx?ssl=require"},
            "postgresql+psycopg://ann:s%40crt@db/mutx?sslmode=require",
        ),
        ({"database_url": "postgresql+asyncpg://db/mutx"}, "postgresql+psycopg://db/mutx"),
        (
            {"database_url": "postgres://db/mutx", "database_ssl_mode": "verify-full"},
            "postgresql+psycopg://db/mutx?sslmode=verify-full",
        ),
        ({"jobs_database_url": "postgresql://jobs/x"}, "postgresql+psycopg://jobs/x"),
        ({"jobs_database_url": "sqlite:///{home}/x.db"}, "sqlite:///{home}/x.db"),
    ],
)
def test_beside_the_rest(given: dict[str, str], url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, **{name: value.format(home=tmp_path) for name, value in given.items()})  # type: ignore[arg-type]
    assert jobs_url(settings) == url.format(home=tmp_path)
