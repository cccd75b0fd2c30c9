"""Which keys were used, kept in memory until a job writes it down: nothing of this stands in a request's way."""

from collections.abc import Iterable, Mapping

from msgspec import Struct


class KeyUse(Struct):
    """Of one key."""

    last: float
    """Seconds since the epoch."""
    count: int
    """Verifications since they were last told of; a verified key is trusted for seconds, so requests are more."""
    fresh: bool = True
    """Whether it was used since it was last written down."""


class KeyUses:
    """One entry for each key that this process ever verified."""

    def __init__(self) -> None:
        self._uses: dict[str, KeyUse] = {}

    def __len__(self) -> int:
        return sum(use.fresh for use in self._uses.values())

    def note(self, key_id: str, at: float) -> None:
        use = self._uses.setdefault(key_id, KeyUse(at, 0))
        use.last, use.count, use.fresh = max(at, use.last), use.count + 1, True

    def fresh(self) -> dict[str, KeyUse]:
        """What is to be written down, as it is now."""
        return {key: KeyUse(use.last, use.count) for key, use in self._uses.items() if use.fresh}

    def written(self, uses: Mapping[str, KeyUse], told: Iterable[str]) -> None:
        """`uses` are on disk, and those of `told` in the audit log; what came meanwhile stays."""
        for key_id in told:
            self._uses[key_id].count -= uses[key_id].count
        for key_id, use in uses.items():
            known = self._uses[key_id]
            known.fresh = known.last > use.last
