"""A rule made ready to decide, and what one look at the rules found."""

from collections.abc import Sequence
from typing import Any

from mutx.governance.policy.globs import parse_glob
from mutx.governance.policy.guards import Test
from mutx.governance.policy.model import PolicyRule, RuleEffect
from mutx.governance.policy.modify import Rewriter
from mutx.governance.types import Decision, Effect, RuleRef

FINAL = float("-inf")
"""Final denials stand before every priority."""


class RuleEntry:
    """A compiled rule. `rank`: its position in the order of evaluation; `upto`: bits of all ranks of its priority and before."""

    __slots__ = (
        "ask", "effect", "final", "key", "level", "missing_ask", "plain", "quick",
        "rank", "reason", "ref", "rewriter", "rule", "session", "upto", "when",
    )  # fmt: skip

    def __init__(self, policy: str, rule: PolicyRule, rank: int, level: int, upto: int) -> None:
        self.rule, self.rank, self.level, self.upto = rule, rank, level, upto
        self.key = f"{policy}/{rule.id}"
        self.effect = rule.effect.effect
        self.final = rule.final
        self.ref = RuleRef(rule.id, rule.name, policy, self.effect, rule.priority)
        self.when = rule.when
        self.session = None if rule.match.session == "*" else parse_glob(rule.match.session)
        self.quick = self._quick()
        """The rule's condition as a function of the arguments, where nothing else matters."""
        self.rewriter = Rewriter(rule.modify) if rule.modify else None
        self.reason = rule.reason or f"rule {self.key}: {rule.effect}"
        self.ask = f"defer:{self.key}" if self.effect is Effect.DEFER else self.key
        self.missing_ask = f"missing_context:{self.key}"
        self.plain = self.effect in {Effect.ALLOW, Effect.DENY} and rule.rate is None and rule.budget is None
        """The outcome is the same every time."""

    def _quick(self) -> Test | None:
        if self.session is not None:
            return None
        return _always if self.when is None else self.when.quick

    @property
    def warns(self) -> bool:
        return self.rule.effect is RuleEffect.WARN

    @property
    def fields(self) -> tuple[str, ...]:
        return self.when.fields if self.when else ()


def _always(_: dict[str, Any]) -> bool:
    return True


class Found:
    """The rules of the first priority with any that applies or cannot be evaluated."""

    __slots__ = ("applied", "plain", "ready", "unknown")

    def __init__(self, applied: Sequence[RuleEntry] = (), unknown: Sequence[RuleEntry] = ()) -> None:
        self.applied, self.unknown = tuple(applied), tuple(unknown)
        self.plain = not self.unknown and all(entry.plain for entry in self.applied)
        self.ready: dict[Any, Decision] = {}
        """Decisions made before where nothing else has a say: `Slate.keys` -> decision."""

    @property
    def forbidden(self) -> bool:
        return bool(self.applied) and self.applied[0].final

    @property
    def fields(self) -> tuple[str, ...]:
        """What the conditions of these rules read."""
        every = (name for entry in (*self.applied, *self.unknown) for name in entry.fields)
        return tuple(dict.fromkeys(every))
