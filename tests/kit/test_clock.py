"""Time goes forward, and is written in one form."""

import time
from datetime import UTC, datetime

from mutx.kit.clock import ManualClock, SystemClock, rfc3339, to_datetime


def test_the_system_clock_never_steps_back(monkeypatch):
    readings, pace = iter([100.0, 50.0, 51.0, 110.0]), iter([7.0, 7.0, 8.5, 9.5, 10.0])
    monkeypatch.setattr(time, "time", lambda: next(readings))
    monkeypatch.setattr(time, "monotonic", lambda: next(pace))
    clock = SystemClock()
    assert [clock.now() for _ in range(4)] == [100.0, 101.5, 102.5, 110.0]


def test_time_goes_on_from_what_was_recorded(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 100.0)
    clock = SystemClock()
    assert clock.reach(90.0) == 0
    assert clock.now() == 100.0
    assert clock.reach(160.0) == 60.0
    first = clock.now()
    assert 160.0 <= first <= clock.now()


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
