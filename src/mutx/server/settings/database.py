"""Settings of the store."""

from pydantic import BaseModel


class DatabaseSettings(BaseModel):
    """Where what must last is kept, and what carries wake-ups."""

    database_url: str = ""
    """SQLAlchemy URL; empty means `mutx.db` in the home directory."""
    redis_url: str = ""
