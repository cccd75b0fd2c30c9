"""Time that never steps back, over restarts too: what expired before one stays expired after it.

The ledger says when its last turn was, and nothing of what expired in the quiet time after that. So the time is also
written down once a second, a little ahead: however the process ended, no answer of its clock was later than that.
"""

import os
from pathlib import Path

import structlog

from mutx.kit.clock import Clock, SystemClock
from mutx.storage.engine import Database
from mutx.storage.recorded import latest_recorded

log = structlog.stdlib.get_logger("mutx.server")

PERIOD = 1.0
LEAD = 2.0
"""Seconds that the written time is ahead: a run that is late by less than `LEAD - PERIOD` loses nothing."""
MAX_MILLISECONDS = 253_402_300_799_000
"""The end of the year 9999."""


class Timekeeper:
    """The file that holds the time."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def recorded(self) -> float:
        """Seconds since the epoch; 0 where nothing readable is there."""
        try:
            milliseconds = int(self._path.read_bytes()[:32])
        except (OSError, ValueError):
            return 0.0
        return milliseconds / 1000 if 0 <= milliseconds <= MAX_MILLISECONDS else 0.0

    async def keep(self) -> None:
        """Write the time, a little ahead. Raises OSError."""
        text = b"%020d\n" % round((self._clock.now() + LEAD) * 1000)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            # in place and of one length: whoever reads meanwhile finds the old time or the new one
            os.pwrite(descriptor, text, 0)
        finally:
            os.close(descriptor)


async def go_on(clock: SystemClock, database: Database, path: Path) -> Timekeeper:
    """Hold `clock` at or after everything on record. Warns where the machine's clock is behind that."""
    keeper = Timekeeper(path, clock)
    behind = clock.reach(max(keeper.recorded(), await latest_recorded(database)))
    if behind > LEAD:
        log.warning(
            "the machine's clock is behind what this installation has recorded; time goes on from the record, so that "
            "nothing un-expires: set the machine's clock right",
            seconds=round(behind, 1),
        )
    return keeper
