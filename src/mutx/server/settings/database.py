"""Settings of the store."""

from pydantic import BaseModel, Field

from mutx.server.settings.values import Positive


class DatabaseSettings(BaseModel):
    """Where what must last is kept, and what carries wake-ups."""

    database_url: str = Field("", repr=False)
    """`sqlite:///path` or `postgresql://user@host/database`; empty means `mutx.db` in the home directory."""
    database_ssl_mode: str = ""
    """disable, allow, prefer, require, verify-ca or verify-full; empty: what the URL's `sslmode` says, or prefer."""
    database_pool_size: Positive = 10
    """Connections to PostgreSQL that a process keeps ready."""
    database_max_overflow: int = Field(10, ge=0)
    """Connections beyond these when many requests come at once."""
    database_pool_timeout: float = Field(5.0, gt=0)
    """Seconds that a request waits for a connection."""
    database_required_on_startup: bool = True
    """Wait for the database before listening; otherwise listen at once and answer 503 until it is there."""
    database_startup_seconds: float = Field(60.0, ge=0)
    """How long a start waits for a database that is not up."""
    database_migrate_on_startup: bool = True
    """Bring the tables up to date when starting; otherwise refuse to start until `mutx db upgrade` has."""
    redis_url: str = Field("", repr=False)
    """`redis://`, `rediss://` or `unix://`: wake-ups and edge limits across replicas; needs the extra `redis`."""
    jobs_database_url: str = Field("", repr=False)
    """Where durable jobs are kept; empty: `jobs.db` in the home directory, or with PostgreSQL, a schema beside the rest."""
