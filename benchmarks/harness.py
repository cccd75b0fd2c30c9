"""Ratios within one run: two things measured in turn, A B A B, so that a machine that slows down slows both.

A benchmark is a function from a `Plan` to `Result`s. Times are seconds per call; the value of a result is a ratio unless
its unit says otherwise. Every figure is the median over the plan's rounds; each round's own figures are kept beside it.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SWEEPS = 9

Round = Callable[[], float]
"""One round of a measurement: seconds per call, or what else it measures."""


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    rounds: int = 7
    scale: float = 1.0
    """Of every count and duration; tests run everything once on a small scale."""

    def count(self, full: int, least: int = 2) -> int:
        return max(least, int(full * self.scale))


FULL = Plan()
SMOKE = Plan(rounds=1, scale=0.01)


@dataclass(frozen=True)
class Result:
    """`baseline` says what `value` is relative to; `runs` are the rounds behind the median."""

    name: str
    value: float
    unit: str
    baseline: str
    runs: tuple[float, ...]
    gate: float
    """The value must be at most (or, with `at_least`, at least) this."""
    at_least: bool = False

    @property
    def passed(self) -> bool:
        return self.value >= self.gate if self.at_least else self.value <= self.gate


def result(name: str, runs: Sequence[float], unit: str, against: str, gate: float, *, at_least: bool = False) -> Result:
    """The median of `runs`, each of which is a whole figure."""
    return Result(name, statistics.median(runs), unit, against, tuple(runs), gate, at_least=at_least)


def ratio(
    name: str,
    plan: Plan,
    subject: Round,
    baseline: Round,
    *,
    against: str,
    gate: float,
    inverse: bool = False,
) -> Result:
    """`subject` over `baseline`, interleaved. `inverse`: how many times faster the subject is, at least `gate`."""
    runs = []
    for _ in range(plan.rounds):
        first, second = subject(), baseline()
        runs.append(second / first if inverse else first / second)
    return result(name, runs, "x", against, gate, at_least=inverse)


def sweep(function: Callable[..., object], calls: Sequence[tuple[Any, ...]]) -> Round:
    """The typical seconds per call over all `calls` (tuples of arguments), best of some sweeps, the clock's own subtracted."""

    def run() -> float:
        gc.collect()
        gc.disable()
        try:
            samples = [_typical_ns(function, calls) - _clock_ns(len(calls)) for _ in range(SWEEPS)]
        finally:
            gc.enable()
        return max(min(samples), 1.0) / 1e9

    return run


def _typical_ns(function: Callable[..., object], calls: Sequence[tuple[Any, ...]]) -> float:
    clock = time.perf_counter_ns
    samples = []
    for arguments in calls:
        started = clock()
        function(*arguments)
        samples.append(clock() - started)
    return _midmean(samples)


def _clock_ns(count: int) -> float:
    clock = time.perf_counter_ns
    samples = []
    for _ in range(count):
        started = clock()
        samples.append(clock() - started)
    return _midmean(samples)


def _midmean(samples: list[int]) -> float:
    """The mean of the middle half: the median of figures that come in steps of the clock."""
    samples.sort()
    quarter = len(samples) // 4
    return statistics.fmean(samples[quarter : len(samples) - quarter])
