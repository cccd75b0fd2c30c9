"""Durable jobs: deliveries and other work that is done later, tried again, and given up where somebody sees it."""

from enum import StrEnum

from mutx.contract.base import Limit, Schema, Skip, Timestamp
from mutx.contract.operation import operation


class JobState(StrEnum):
    """`dead`: given up after the last attempt; `retry` begins it anew."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class DurableJob(Schema):
    """Work that was handed in. What it works on is not shown: it may be confidential."""

    id: str
    kind: str
    """What does it: `mail`, `webhook`."""
    status: JobState
    created_at: Timestamp
    ended_at: Timestamp | None = None
    error: str | None = None
    """Why the last attempt of a dead job failed."""


@operation("GET", "/jobs", scope="jobs:read")
def list_jobs(status: JobState | None = None, skip: Skip = 0, limit: Limit = 50) -> list[DurableJob]:
    """List the workspace's jobs, newest first. Those that are done go after a week, dead ones after 90 days."""


@operation("GET", "/jobs/{job_id}", scope="jobs:read")
def get_job(job_id: str) -> DurableJob:
    """Show one job."""


@operation("POST", "/jobs/{job_id}/retry", scope="jobs:write")
def retry_job(job_id: str) -> DurableJob:
    """Begin a dead job anew."""
