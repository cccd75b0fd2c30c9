"""How often a key may ask: the port, and the limiter of one process.

GCRA (ITU-T I.371): one number per key, the time at which its allowance would be whole again, so a look costs the same
however many requests were counted.
"""

from math import ceil
from typing import Protocol

from msgspec import Struct

from mutx.kit.clock import Clock

MAX_KEYS = 100_000
"""Keys that one limiter remembers; what strangers send is bounded by it."""


EPSILON = 1e-6
"""Seconds; a float that counts from the epoch is no finer."""


class Limit(Struct, frozen=True):
    """`requests` in any `seconds`, all of them at once if need be."""

    requests: int
    seconds: float

    @property
    def spacing(self) -> float:
        """Seconds that one request costs."""
        return self.seconds / self.requests


class Allowance(Struct, frozen=True):
    """What a key has left: whole requests, and the seconds until it has all of them."""

    remaining: int
    reset: int


class RateLimiter(Protocol):
    """Counts requests by key. Every answer is `0.0` if the request may pass, else the seconds to wait."""

    limit: Limit

    def take(self, key: str) -> float:
        """Charge one request by what this process knows. Never waits, never fails."""

    async def admit(self, key: str) -> float:
        """Charge one request by what all replicas know, where they can be asked; else as `take` does."""

    def give_back(self, key: str) -> None:
        """Undo one charge."""

    def allowance(self, key: str) -> Allowance:
        """For the headers of an answer; charges nothing."""


class Throttle:
    """`RateLimiter` of one process."""

    def __init__(self, limit: Limit, clock: Clock) -> None:
        self.limit = limit
        self._spacing = limit.spacing
        self._tolerance = limit.seconds - self._spacing
        self._clock = clock
        self._whole_at: dict[str, float] = {}

    def take(self, key: str) -> float:
        now = self._clock.now()
        whole_at = max(self._whole_at.get(key, now), now)
        if (wait := whole_at - now - self._tolerance) > EPSILON:
            return wait
        self.put(key, whole_at + self._spacing, now)
        return 0.0

    async def admit(self, key: str) -> float:
        return self.take(key)

    def give_back(self, key: str) -> None:
        whole_at = self._whole_at.get(key)
        if whole_at is not None:
            self._whole_at[key] = whole_at - self._spacing

    def allowance(self, key: str) -> Allowance:
        debt = self.debt(key)
        left = int((self.limit.seconds - debt) / self._spacing + 1e-6)
        return Allowance(max(left, 0), ceil(debt))

    def debt(self, key: str) -> float:
        """Seconds until the key's allowance is whole."""
        now = self._clock.now()
        return max(self._whole_at.get(key, now) - now, 0.0)

    def put(self, key: str, whole_at: float, now: float) -> None:
        """Set when the key's allowance is whole."""
        if len(self._whole_at) >= MAX_KEYS and key not in self._whole_at:
            self._forget(now)
        self._whole_at[key] = whole_at

    def owe(self, key: str, debt: float) -> None:
        """Raise the key's debt to what all replicas together know, in seconds from now."""
        now = self._clock.now()
        self.put(key, max(now + debt, self._whole_at.get(key, now)), now)

    def _forget(self, now: float) -> None:
        """Drop keys whose allowance is whole; if an attacker holds all of them, start over."""
        kept = {key: at for key, at in self._whole_at.items() if at > now}
        self._whole_at = kept if len(kept) < MAX_KEYS else {}
