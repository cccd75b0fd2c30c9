"""How sure a measured share is."""

from math import sqrt
from typing import NamedTuple

Z = 1.959964
"""95 %, two-sided."""


class Share(NamedTuple):
    """`hits` of `total`, with its Wilson interval at 95 %. Of nothing: value None."""

    value: float | None
    low: float
    high: float
    hits: int
    total: int


def share(hits: int, total: int) -> Share:
    if total == 0:
        return Share(None, 0.0, 1.0, 0, 0)
    rate, spread = hits / total, Z * Z / total
    centre = (rate + spread / 2) / (1 + spread)
    half = Z * sqrt(rate * (1 - rate) / total + spread / (4 * total)) / (1 + spread)
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == total else min(1.0, centre + half)
    return Share(round(rate, 6), round(low, 6), round(high, 6), hits, total)
