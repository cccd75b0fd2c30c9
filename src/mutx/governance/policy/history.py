"""What conditions may ask of a session's past: `history_contains_within("secrets/*", 300)` and its like.

A tool counts once it was allowed to run; a call that was denied, or still waits, did not happen. The state behind the
answers is bounded (`context/apply.py`): where it no longer tells, the function has no value and the condition cannot be
evaluated, which defers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mutx.governance.context import SessionContext
from mutx.governance.policy.globs import MAX_GLOB, Glob, parse_glob
from mutx.governance.policy.tokens import Token

SHAPES: Mapping[str, tuple[str, ...]] = {
    "history_contains_within": ("string", "number"),
    "history_sequence": ("string", "string"),
    "history_tool_count": ("string",),
    "deny_count_within": ("number",),
}
"""Function -> its arguments, all of them literals: a call's own arguments choose no glob and no window."""
USAGE: Mapping[str, str] = {
    "history_contains_within": 'history_contains_within("<tool glob>", <seconds>)',
    "history_sequence": 'history_sequence("<earlier tool glob>", "<later tool glob>")',
    "history_tool_count": 'history_tool_count("<tool glob>")',
    "deny_count_within": "deny_count_within(<seconds>)",
}
ROOT = "history"
"""What conditions with such a function want of a decision, beside variables."""
MAX_CALLS = 8
"""In one condition: each may look at every tool that the session ran."""


def asks_history(tokens: Sequence[Token]) -> bool:
    """Whether these functions are called. Raises ValueError, with the right form, for a call of another form."""
    calls = [at for at, token in enumerate(tokens) if token.kind == "name" and token.text in SHAPES]
    if len(calls) > MAX_CALLS:
        raise ValueError(f"a condition may ask at most {MAX_CALLS} times for the session's history")
    for at in calls:
        if not _fits(tokens, at):
            raise ValueError(f"write {USAGE[tokens[at].text]}, with the values as they are")
    return bool(calls)


def _fits(tokens: Sequence[Token], at: int) -> bool:
    kinds = SHAPES[tokens[at].text]
    words = tokens[at + 1 : at + 2 + 2 * len(kinds)]
    signs = [token.text for token in words[::2]]
    given = words[1::2]
    if signs != ["(", *[","] * (len(kinds) - 1), ")"] or (at and tokens[at - 1].text == "."):
        return False
    return all(_literal(token, kind) for token, kind in zip(given, kinds, strict=True))


def _literal(token: Token, kind: str) -> bool:
    value = token.literal()
    if kind == "string":
        return isinstance(value, str) and 0 < len(value) <= MAX_GLOB
    return token.kind == "number" and isinstance(value, int | float)


class History:
    """The functions over one session, at one moment."""

    def __init__(self, context: SessionContext, now: float) -> None:
        self._context, self._now = context, now

    def functions(self) -> dict[str, Callable[..., Any]]:
        """By the names that conditions use."""
        return {
            "history_contains_within": self.contains_within,
            "history_sequence": self.sequence,
            "history_tool_count": self.tool_count,
            "deny_count_within": self.deny_count_within,
        }

    def contains_within(self, glob: str, seconds: float) -> bool:
        """Did a tool that matches run in the last `seconds`?"""
        since, compiled = self._now - seconds, parse_glob(glob)
        last = self._context.tool_last_at
        if any(at >= since and compiled.matches(name) for name, at in last.items()):
            return True
        self._require(since)
        return False

    def sequence(self, earlier: str, later: str) -> bool:
        """Did a tool that matches `later` run after one that matches `earlier`? Others may have run between."""
        first = min((run.first for run in self._matching(parse_glob(earlier))), default=None)
        last = max((run.last for run in self._matching(parse_glob(later))), default=None)
        if first is not None and last is not None and first < last:
            return True
        self._require(None)
        return False

    def tool_count(self, glob: str) -> int:
        """How often tools that match ran in this session."""
        self._require(None)
        return sum(run.count for run in self._matching(parse_glob(glob)))

    def deny_count_within(self, seconds: float) -> int:
        """How many calls of the session were denied in the last `seconds`; at most 256 are counted."""
        since = self._now - seconds
        return sum(at >= since for at in self._context.denied_at)

    def _matching(self, glob: Glob) -> Iterator[Any]:
        return (run for name, run in self._context.runs.items() if glob.matches(name))

    def _require(self, since: float | None) -> None:
        """Raises LookupError where something that counts may be forgotten. `since`: what matters; None: all."""
        forgotten = self._context.runs_forgotten_until
        if forgotten is not None and (since is None or forgotten >= since):
            raise LookupError("the session ran more tools than are kept")
