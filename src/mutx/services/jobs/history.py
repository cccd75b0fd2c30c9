"""Whether there is anything for the job engine to take up, asked without it: it costs a second to import, and once it
runs it looks around every second for as long as the process lives."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

ANY = "SELECT 1 FROM workflow_status LIMIT 1"
"""DBOS keeps every job in this table, ended ones too until they are forgotten (`DurableJobs.keep_house`)."""


def may_hold_jobs(url: str) -> bool:
    """False where a job database on SQLite has never had a job, or is not there; True also where that cannot be told."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return True
    path = Path(parsed.database).absolute()
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(ANY).fetchone() is not None
    except sqlite3.Error:
        return True
