"""A least-privilege PolicySet out of what agents did: the tools they used, with what arguments, how often.

Only calls that were let through count, and only of sessions without a refused call. A fifth of the sessions, chosen by
a hash of their ids, is held out: nothing is learned from it, and what the proposal would stop there is its measured
false-block rate. A closed set of values (or of mail domains) is proposed only if both halves of the rest showed every
one of its members: a set that one half did not know whole would have stopped the other.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from msgspec import Struct, field

from mutx.governance.turn import Turn, TurnKind
from mutx.governance.types import Effect, NormalizedAction

HELD_OUT = 5
"""One session in so many."""
BOTH = 3
"""Seen in both halves, as bits."""
FEW = 8
"""Members of a closed set, at most."""
ENOUGH = 20
"""Calls before a closed set is believed."""
HEADROOM = 2
"""Limits are so many times what was seen."""
MAX_KEPT = 64
MAX_TOOLS = 2000
MAX_ARGUMENTS = 200
LEAST_LENGTH = 64
LEAST_CALLS = 3

_ADDRESS = re.compile(r"[^@\s]{1,128}@([A-Za-z0-9.-]{1,128})")
_TYPES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


def is_held_out(session_id: str) -> bool:
    return _hash(session_id) % HELD_OUT == 0


def _half(session_id: str) -> int:
    return 1 + (_hash(session_id) // HELD_OUT) % 2


def _hash(session_id: str) -> int:
    return int.from_bytes(sha256(session_id.encode("utf-8", "surrogatepass")).digest()[:8], "big")


class SeenArgument(Struct):
    """What one argument of one tool held."""

    calls: int = 0
    types: set[str] = field(default_factory=set)
    values: dict[str, int] = field(default_factory=dict)
    """Texts -> halves in which they were seen, as bits; more than `MAX_KEPT` are not kept."""
    domains: dict[str, int] = field(default_factory=dict)
    longest: int = 0
    lowest: float = 0.0
    highest: float = 0.0

    def add(self, value: Any, half: int) -> None:
        self.calls += 1
        self.types.add(_TYPES.get(type(value), "any"))
        match value:
            case str():
                self.longest = max(self.longest, len(value))
                _mark(self.values, value, half)
                address = _ADDRESS.fullmatch(value)
                _mark(self.domains, address[1].casefold() if address else "", half)
            case bool():
                pass
            case int() | float():
                self.lowest, self.highest = min(self.lowest, value), max(self.highest, value)
            case list() | dict():
                self.longest = max(self.longest, len(value))

    def constraint(self, calls: int) -> dict[str, Any]:
        """As a document has it. `calls`: of the tool."""
        found: dict[str, Any] = {}
        if self.calls == calls:
            found["required"] = True
        if self.types in ({"any"}, set()) or len(self.types) > 1:
            return found
        (kind,) = self.types
        found["type"] = kind
        if kind == "number":
            found["max"] = _above(self.highest)
            found["min"] = -_above(-self.lowest)
        elif kind == "string":
            found |= self._text()
        elif kind in {"array", "object"}:
            found["max_length"] = max(LEAST_CALLS, HEADROOM * self.longest)
        return found

    def _text(self) -> dict[str, Any]:
        if self.calls >= ENOUGH and _closed(self.values):
            return {"allowed": sorted(self.values)}
        if self.calls >= ENOUGH and _closed(self.domains) and "" not in self.domains:
            domains = "|".join(re.escape(domain) for domain in sorted(self.domains))
            return {"pattern": rf"(?i)[^@\s]+@(?:{domains})"}
        return {"max_length": max(LEAST_LENGTH, HEADROOM * self.longest)}


class SeenTool(Struct):
    calls: int = 0
    most: int = 0
    """Calls in one session."""
    arguments: dict[str, SeenArgument] = field(default_factory=dict)
    open: bool = False
    """More arguments than are kept."""


class Miner:
    """Learns from sessions that are not held out."""

    def __init__(self) -> None:
        self.sessions = self.refused = self.calls = 0
        self._tools: dict[str, SeenTool] = {}

    def session(self, turns: Iterable[Turn]) -> None:
        """One session in order. One with a refused call teaches nothing: nobody knows what it was about."""
        made: dict[str, NormalizedAction] = {}
        for turn in turns:
            if turn.kind is TurnKind.OUTCOME or turn.facts.noted is not None:
                continue
            if turn.decision.effect is Effect.DENY:
                self.refused += 1
                return
            if turn.decision.effect.runs and turn.sealed.args is not None:
                made[turn.action.id] = turn.action
        self.sessions += 1
        self._learn(list(made.values()))

    def _learn(self, actions: list[NormalizedAction]) -> None:
        often: dict[str, int] = {}
        for action in actions:
            seen = self._tools.get(action.tool_name)
            if seen is None:
                if len(self._tools) >= MAX_TOOLS:
                    continue
                seen = self._tools[action.tool_name] = SeenTool()
            self.calls += 1
            seen.calls += 1
            often[action.tool_name] = often.get(action.tool_name, 0) + 1
            for name, value in action.tool_args.items():
                if name not in seen.arguments and len(seen.arguments) >= MAX_ARGUMENTS:
                    seen.open = True
                    continue
                seen.arguments.setdefault(name, SeenArgument()).add(value, _half(action.session_id))
        for name, count in often.items():
            self._tools[name].most = max(self._tools[name].most, count)

    def propose(self, name: str) -> dict[str, Any]:
        """The document."""
        ordered = sorted(self._tools.items())
        return {
            "name": name,
            "description": f"Mined from {self.calls} calls of {self.sessions} sessions: read it before it is applied.",
            "default": "deny",
            "tools": {tool: _declared(seen) for tool, seen in ordered},
            "rules": [
                {
                    "id": f"mined-{number}",
                    "match": {"tool": tool},
                    "effect": "allow",
                    "rate": {"per_session": max(LEAST_CALLS, HEADROOM * seen.most)},
                }
                for number, (tool, seen) in enumerate(ordered, 1)
            ],
        }


def _declared(seen: SeenTool) -> dict[str, Any]:
    return {
        "parameters": {name: one.constraint(seen.calls) for name, one in sorted(seen.arguments.items())},
        "additional_parameters": seen.open,
    }


def _mark(table: dict[str, int], key: str, half: int) -> None:
    if key in table or len(table) <= MAX_KEPT:
        table[key] = table.get(key, 0) | half


def _closed(table: dict[str, int]) -> bool:
    return 0 < len(table) <= FEW and all(halves == BOTH for halves in table.values())


def _above(value: float) -> float:
    """A limit above what was seen; integers stay whole."""
    return 0 if value <= 0 else HEADROOM * value
