"""Time, as one thing that tests can hold in their hands.

Seconds are floats since the Unix epoch. Text is RFC 3339 in UTC with microseconds.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive: isoformat would write the offset otherwise


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch; never less than an earlier answer of the same clock."""


class SystemClock:
    """The machine's clock, held so that a backward step never un-expires or reorders anything.

    While the machine's clock is behind, time goes on from the latest answer at the machine's own pace: were it to stand
    still, what is short-lived would live until the clock had caught up.
    """

    def __init__(self) -> None:
        # one value, so that threads never see a time beside another time's reading
        self._latest = (0.0, time.monotonic())

    def now(self) -> float:
        current, reading = time.time(), time.monotonic()
        latest, then = self._latest
        if current < latest:
            current = latest + max(0.0, reading - then)
        self._latest = (current, reading)
        return current

    def reach(self, at: float) -> float:
        """Be `at` or later from now on: the latest time on record. Returns by how many seconds that is ahead."""
        ahead = at - self.now()
        if ahead > 0:
            self._latest = (at, time.monotonic())
        return max(0.0, ahead)


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


def rfc3339(seconds: float) -> str:
    """`2027-01-15T08:00:00.000000Z`"""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat("T", "microseconds") + "Z"


def to_datetime(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
