"""The blocks of FPL that hold plain values: budgets, rates, redactions, delegates, `system`."""

import re
from collections.abc import Callable

from mutx.governance.policy.fpl.scan import Scanner
from mutx.governance.policy.fpl.syntax import FplAgent, FplBudget, FplDelegate, FplRate, FplRedaction, Place

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,7})([smhdw])")
_CEILING = re.compile(r"([A-Za-z_][A-Za-z0-9_.]{0,99})<=\$?([0-9]{1,15}(?:\.[0-9]{1,6})?)")
PERIODS = ("second", "minute", "hour", "day")
MAX_LIST = 100
EXCEEDED = {"deny": "deny", "defer": "step_up"}


class BlockReader:
    """Reads one block or line each, from behind its first word."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner

    def variable(self, agent: FplAgent) -> None:
        """`var name value`"""
        scanner = self._scanner
        start = scanner.skip()
        name = scanner.word("a name")
        if not name.isidentifier():
            raise scanner.refuse(f"`{name[:40]}` is no name for a variable", at=start)
        scanner.take("=")
        if scanner.comes_string():
            agent.variables[name] = scanner.string()
        elif scanner.comes_number():
            agent.variables[name] = scanner.number()
        elif scanner.peek_word() in {"true", "false"}:
            agent.variables[name] = scanner.word("a value") == "true"
        else:
            raise scanner.refuse("a text in quotes, a number, true or false is expected here")

    def budget(self, place: Place) -> FplBudget:
        start = self._scanner.skip()
        budget = FplBudget(id=self._scanner.text_or_word("`session` or `daily`"), place=place)
        if budget.id not in {"session", "daily"}:
            raise self._scanner.unsupported("a budget is for a `session` or `daily`", at=start)
        self._properties(lambda name: self._budget_property(budget, name))
        if (budget.max, budget.daily, budget.max_calls) == (None, None, None):
            raise self._scanner.refuse("a budget needs `max`, `daily` or `max_calls`", at=start)
        return budget

    def _budget_property(self, budget: FplBudget, name: str) -> bool:
        if name == "max":
            budget.max = self._scanner.number()
        elif name == "daily":
            budget.daily = self._scanner.number()
        elif name == "max_calls":
            budget.max_calls = self._count()
        elif name == "warn_at":
            budget.warn_at = self._scanner.number()
        elif name == "on_exceed":
            budget.on_exceed = self._exceeded()
        else:
            return False
        return True

    def rate(self, place: Place) -> FplRate:
        """`rate_limit "glob": 10 per minute`"""
        tool = self._scanner.text_or_word("a tool or a glob over tools")
        self._scanner.take(":")
        calls = self._count()
        self._scanner.need("per")
        start = self._scanner.skip()
        per = self._scanner.word("a period")
        if per not in PERIODS:
            raise self._scanner.refuse(f"a rate is per {', '.join(PERIODS)}", at=start)
        return FplRate(tool=tool, calls=calls, per=per, place=place)

    def ambient(self, place: Place) -> FplRate:
        """`ambient { max_calls_per_day 500 }`"""
        found: list[int] = []

        def read(name: str) -> bool:
            start = self._scanner.skip()
            if name == "max_calls_per_day":
                found.append(self._count())
            elif name == "on_exceed":
                if self._exceeded() != "deny":
                    raise self._scanner.unsupported("beyond an ambient limit calls are denied", at=start)
            else:
                return False
            return True

        self._properties(read)
        if len(found) != 1:
            raise self._scanner.refuse("`ambient` needs `max_calls_per_day`, once")
        return FplRate(tool="*", calls=found[0], per="day", place=place)

    def redaction(self, place: Place) -> FplRedaction:
        """`redact tool args: ["card.number"]`"""
        tool = self._scanner.text_or_word("a tool or a glob over tools")
        self._scanner.need("args")
        self._scanner.take(":")
        paths: list[str] = []
        self._scanner.need("[")
        while not self._scanner.take("]"):
            if paths:
                self._scanner.need(",")
            if not self._scanner.comes_string() or len(paths) >= MAX_LIST:
                raise self._scanner.refuse(f"at most {MAX_LIST} paths in quotes are expected here")
            paths.append(self._scanner.string())
        if not paths:
            raise self._scanner.refuse("name at least one argument")
        return FplRedaction(tool=tool, paths=paths, place=place)

    def delegate(self, place: Place) -> FplDelegate:
        start = self._scanner.skip()
        found = FplDelegate(to=self._scanner.text_or_word("the sub-agent's id"), place=place)
        self._properties(lambda name: self._delegate_property(found, name))
        if not found.scope:
            raise self._scanner.refuse("a delegate needs a `scope`", at=start)
        return found

    def _delegate_property(self, found: FplDelegate, name: str) -> bool:
        start = self._scanner.skip()
        if name == "scope":
            for part in self._scanner.text_or_word("a scope").replace(",", " ").split():
                tool, _, bound = part.partition(":")
                found.scope.append(tool)
                if bound:
                    self._ceiling(found, bound, start)
        elif name == "ttl":
            found.ttl = self.duration()
        elif name == "ceiling":
            word = self._scanner.text_or_word("`inherited` or `approval`")
            if word not in {"inherited", "approval"}:
                raise self._scanner.unsupported("the ceiling is `inherited` or `approval`", at=start)
            found.approval = word == "approval"
        else:
            return False
        return True

    def _ceiling(self, found: FplDelegate, bound: str, start: int) -> None:
        match = _CEILING.fullmatch(bound)
        if match is None:
            raise self._scanner.unsupported("a scope's bound is written like `amount<=500`", at=start)
        found.ceilings[match[1]] = float(match[2])

    def system(self) -> None:
        """`system [id] { version "1.0" on_policy_load_failure deny }`: what it may say is what always holds here."""
        self._scanner.need("system")
        if not self._scanner.take("{"):
            self._scanner.text_or_word("an id")
        else:
            self._scanner.position -= 1
        self._properties(self._system_property)

    def _system_property(self, name: str) -> bool:
        start = self._scanner.skip()
        if name == "version":
            if self._scanner.text_or_word("a version") != "1.0":
                raise self._scanner.unsupported("the language's version is 1.0", at=start)
        elif name == "on_policy_load_failure":
            if self._scanner.text_or_word("`deny`") not in {"deny", "deny_all"}:
                raise self._scanner.unsupported("a policy that does not load denies", at=start)
        else:
            return False
        return True

    def duration(self) -> float:
        """Seconds."""
        start = self._scanner.skip()
        self._scanner.take("=")
        match = _DURATION.fullmatch(self._scanner.text_or_word("a duration like 15m"))
        if match is None:
            raise self._scanner.refuse("a duration is written like 30s, 15m, 24h, 7d or 2w", at=start)
        return int(match[1]) * UNITS[match[2]]

    def _properties(self, read: Callable[[str], bool]) -> None:
        """`{ name value ... }`; `read` says whether it knows a name."""
        scanner = self._scanner
        scanner.need("{")
        while not scanner.take("}"):
            start = scanner.skip()
            name = scanner.word("a property or `}`")
            scanner.take("=")
            if not read(name):
                raise scanner.unsupported(f"`{name[:40]}` is not supported here", at=start)

    def _count(self) -> int:
        start = self._scanner.skip()
        count = self._scanner.number()
        if not isinstance(count, int):
            raise self._scanner.refuse("a whole number is expected here", at=start)
        return count

    def _exceeded(self) -> str:
        start = self._scanner.skip()
        found = EXCEEDED.get(self._scanner.word("`deny` or `defer`"))
        if found is None:
            raise self._scanner.unsupported(
                "what is too much is denied, or put to a person: `deny` or `defer`", at=start
            )
        return found
