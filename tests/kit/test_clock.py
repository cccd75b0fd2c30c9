"""Time goes forward, and is written in one form."""

import time
from datetime import UTC, datetime

from mutx.kit.clock import ManualClock, SystemClock, rfc3339, to_datetime


def test_the_system_clock_never_steps_back(monkeypatch):
    readings = iter([100.0, 50.0, 101.0])
    monkeypatch.setattr(time, "time", lambda: next(readings))
    clock = SystemClock()
    assert [clock.now(), clock.now(), clock.now()] == [100.0, 100.0, 101.0]


def test_a_manual_clock_moves_when_told():
    clock = ManualClock(10.0)
    clock.advance(2.5)
    assert clock.now() == 12.5


def test_times_are_rfc_3339_in_utc_with_microseconds():
    assert rfc3339(1_800_000_000.0) == "2027-01-15T08:00:00.000000Z"
    assert rfc3339(1_800_000_000.25) == "2027-01-15T08:00:00.250000Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert rfc3339(1_800_000_000.9999999) == "2027-01-15T08:00:01.000000Z"
    assert to_datetime(1_800_000_000.25) == datetime(2027, 1, 15, 8, 0, 0, 250_000, tzinfo=UTC)
