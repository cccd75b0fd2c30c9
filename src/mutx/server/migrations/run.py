"""Bring a database to today's schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

HERE = Path(__file__).parent


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration without an `alembic.ini`."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """To the newest revision, in the transaction that `connection` is in. Fit for `Database.start(prepare=upgrade)`."""
    command.upgrade(configuration(connection), "head")
