"""What health and metrics look at beside the parts that every request uses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct


def _none() -> Mapping[str, int]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """What runs beside requests, as far as there is any; wiring fills it."""

    failures: Callable[[], Mapping[str, int]] = _none
    """Failed runs in a row of each background job."""
    sinks: tuple[str, ...] = ()
    """Names of those that read the outbox."""
    home: Path | None = None
    """The folder whose disk must not fill up."""


class Fleet(Struct, frozen=True):
    """Counts over all workspaces."""

    agents: int
    active: int
    tasks: int
    """Commands that no agent has acknowledged yet."""
    deployments: Mapping[str, int]
    """State -> agents that some control plane was told to run, and runs or ran."""
    waiting: Mapping[str, int]
    """Sink -> events that it has not taken yet."""
