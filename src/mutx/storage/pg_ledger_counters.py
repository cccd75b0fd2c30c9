"""Counters of which other processes take as well: what this process was last told, with its own charges under way.

A value that is too small costs a refused append and nothing else: the append checks each charge, and each reading that
let the turn through, against the store, and tells what it found there.
"""

from collections.abc import Iterable

from mutx.governance.types import Charge
from mutx.storage.counters import MAX_COUNTERS, Counters


class SharedCounters(Counters):
    """Begins at nought everywhere and learns."""

    def __init__(self, limit: int = MAX_COUNTERS) -> None:
        super().__init__(lambda workspace_id, key: 0, limit)

    def learn(self, workspace_id: str, key: str, value: int) -> None:
        """The store has `value`. A counter never goes back within its window."""
        counter = self._get((workspace_id, key))
        counter.stored = max(counter.stored, value)

    def end(self, workspace_id: str, charges: Iterable[Charge], *, failed: bool) -> None:
        """They are written, or were refused; what the store then had was learned before."""
        for charge in charges:
            counter = self._get((workspace_id, charge.key))
            counter.pending -= charge.amount
            counter.under_way -= 1
