"""Rate and budget counters as this process knows them, with the charges that are on their way to the disk."""

from collections import OrderedDict
from collections.abc import Callable, Iterable

from mutx.governance.types import Charge

MAX_COUNTERS = 100_000


class _Counter:
    __slots__ = ("pending", "stale", "stored", "under_way")

    def __init__(self, stored: int) -> None:
        self.stored = stored
        self.pending = 0
        self.under_way = 0
        self.stale = False


class Counters:
    """A bounded view of the stored counters. The store checks every charge again; this only spares it vain tries."""

    def __init__(self, stored: Callable[[str, str], int], limit: int = MAX_COUNTERS) -> None:
        """`stored(workspace_id, key)` reads one counter; asked once for each counter in use."""
        self._stored = stored
        self._limit = limit
        self._known: OrderedDict[tuple[str, str], _Counter] = OrderedDict()

    def value(self, workspace_id: str, key: str) -> int:
        counter = self._get((workspace_id, key))
        return counter.stored + counter.pending

    def begin(self, workspace_id: str, charges: Iterable[Charge]) -> None:
        """These charges are being written."""
        for charge in charges:
            counter = self._get((workspace_id, charge.key))
            counter.pending += charge.amount
            counter.under_way += 1

    def end(self, workspace_id: str, charges: Iterable[Charge], *, failed: bool) -> None:
        """They are written, or were refused; what a failure leaves behind is read from the store again."""
        for charge in charges:
            counter = self._known[workspace_id, charge.key]
            counter.pending -= charge.amount
            counter.under_way -= 1
            counter.stored += 0 if failed else charge.amount
            counter.stale |= failed
            if counter.stale and not counter.under_way:
                del self._known[workspace_id, charge.key]

    def _get(self, at: tuple[str, str]) -> _Counter:
        counter = self._known.get(at)
        if counter is None:
            counter = self._known[at] = _Counter(self._stored(*at))
            self._shrink()
        else:
            self._known.move_to_end(at)
        return counter

    def _shrink(self) -> None:
        if len(self._known) > self._limit:
            at, counter = next(iter(self._known.items()))
            if counter.under_way:
                self._known.move_to_end(at)
            else:
                del self._known[at]
