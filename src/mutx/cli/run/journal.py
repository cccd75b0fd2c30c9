"""What the processes of a run tell the launcher, and what the relay sees pass."""

from collections import Counter
from threading import Lock
from typing import Any

NAMES = 100
"""Of each kind that are kept; a run may start any number of processes."""


class Journal:
    """Thread-safe. What programs tell is their word: it is shown, and nothing is allowed because of it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.processes = 0
        self.programs: list[str] = []
        self.proved: dict[str, str] = {}
        self.unproved: dict[str, str] = {}
        self.blind: dict[str, int] = {}
        self.decisions: Counter[str] = Counter()

    def note(self, what: str, details: dict[str, Any]) -> bool:
        """Take news of a process; False for a kind that there is not."""
        with self._lock:
            if what == "joined":
                self.processes += 1
                _keep(self.programs, str(details.get("program"))[:200])
            elif what == "proved":
                _put(self.proved, str(details.get("adapter"))[:100], str(details.get("version"))[:100])
            elif what == "unproved":
                _put(self.unproved, str(details.get("adapter"))[:100], str(details.get("reason"))[:1000])
            elif what == "blind":
                option = str(details.get("option"))[:100]
                _put(self.blind, option, self.blind.get(option, 0) + 1)
            else:
                return False
        return True

    def decided(self, decision: str) -> None:
        with self._lock:
            self.decisions[decision] += 1

    def summary(self) -> dict[str, Any]:
        """As JSON, for the last receipt."""
        with self._lock:
            return {
                "python_processes": self.processes,
                "programs": list(self.programs[:20]),
                "adapters_proved": dict(self.proved),
                "adapters_unproved": dict(self.unproved),
                "python_without_hooks": dict(self.blind),
                "decisions": dict(self.decisions),
            }


def _keep(names: list[str], name: str) -> None:
    if name not in names and len(names) < NAMES:
        names.append(name)


def _put(table: dict[str, Any], name: str, value: Any) -> None:
    if name in table or len(table) < NAMES:
        table[name] = value
