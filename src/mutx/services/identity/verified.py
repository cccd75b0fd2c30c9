"""Callers that were verified a moment ago, so that a request costs a hash and a look-up."""

import hashlib
import math

from msgspec import Struct

from mutx.governance.types import Caller
from mutx.kit.clock import Clock

FRESH_SECONDS = 60.0
"""How long a verification holds at most; a revocation ends it at once, on every replica."""


class _Entry(Struct, frozen=True):
    caller: Caller
    epoch: int
    until: float


class VerifiedCallers:
    """Bounded; keyed by the SHA-256 of the credential, so that no credential stays in memory.

    `epoch` moves whenever anything is revoked. A verification is stored under the epoch it started in, so one that
    was under way while something was revoked is never used. Beside other replicas all of it counts only as long as
    the store was asked a moment ago whether one of them revoked (`lease`); alone, what is revoked is revoked here.
    """

    def __init__(self, clock: Clock, *, limit: int = 10_000) -> None:
        self._clock = clock
        self._limit = limit
        self._entries: dict[bytes, _Entry] = {}
        self._lease = math.inf
        self.epoch = 0

    @property
    def leased(self) -> bool:
        return self._clock.now() < self._lease

    def get(self, credential: str) -> Caller | None:
        return self.named(digest_of(credential))

    def named(self, digest: bytes) -> Caller | None:
        """By `digest_of` the credential."""
        entry = self._entries.get(digest)
        if entry is None or entry.epoch != self.epoch or not entry.until > self._clock.now() < self._lease:
            return None
        return entry.caller

    def put(self, credential: str, caller: Caller, *, epoch: int, expires_at: float | None) -> None:
        """`epoch` is what it was before the verification began; `expires_at` the credential's own end."""
        if epoch != self.epoch:
            return  # it must not take the place of one that began later
        until = self._clock.now() + FRESH_SECONDS
        if len(self._entries) >= self._limit:
            del self._entries[next(iter(self._entries))]
        until = until if expires_at is None else min(until, expires_at)
        self._entries[digest_of(credential)] = _Entry(caller, epoch, until)

    def revoke(self) -> None:
        """Something was revoked: verify everybody anew."""
        self.epoch += 1
        self._entries.clear()

    def lease(self, until: float) -> None:
        """Nothing was revoked elsewhere that is not known here; from `until` (seconds since the epoch) ask again."""
        self._lease = until


def digest_of(credential: str) -> bytes:
    """What stands for a credential in memory."""
    return hashlib.sha256(credential.encode()).digest()
