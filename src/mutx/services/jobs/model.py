"""What a durable job is: a kind, a payload, and a fate that somebody can look up."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

Payload = dict[str, Any]
"""JSON."""
Handler = Callable[[Payload], Awaitable[None]]
"""Does a job of one kind. May run twice (a crash between effect and record), so what it does is idempotent."""
Handlers = Mapping[str, Handler]


class JobStatus(StrEnum):
    """A `dead` job was given up after its last attempt; it waits for somebody to retry it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class NewJob(Struct, frozen=True, kw_only=True):
    """`id` is of the caller's making: the same id is the same job, however often it is handed in."""

    id: str
    kind: str
    workspace_id: str
    payload: Payload


class JobRecord(Struct, frozen=True, kw_only=True):
    """A job as it stands. Times in seconds."""

    id: str
    kind: str
    workspace_id: str
    status: JobStatus
    created_at: float
    ended_at: float | None = None
    error: str | None = None
    """Why the last attempt failed, of a dead job."""


class Backoff(Struct, frozen=True):
    """How often a job is tried and how long is waited in between: `first` seconds, then `rate` times longer each time."""

    attempts: int = 12
    first: float = 2.0
    rate: float = 2.0
