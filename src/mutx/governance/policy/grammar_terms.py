"""What the parts of a PolicySet document's grammar have in common: names, globs, durations, conditions, limits."""

from typing import Any

from mutx.governance.policy.conditions import MAX_LENGTH, Condition
from mutx.governance.policy.globs import MAX_GLOB
from mutx.governance.policy.kinds import Kind
from mutx.governance.policy.model import BudgetPeriod, RatePeriod, RuleBudget, RuleMatch, RuleRate
from mutx.governance.policy.shapes import Choice, Either, Number, Record, Several, Text
from mutx.governance.policy.variables import field_kind
from mutx.governance.types import Effect

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
ADVICE = "compare it with something, as in `args.amount > 100`"


def seconds(text: str) -> float:
    """`90s`, `5m`, `1.5h`"""
    unit = next(unit for unit in ("ms", "s", "m", "h", "d") if text.endswith(unit))
    return float(text.removesuffix(unit)) * UNITS[unit]


def condition(text: str) -> Condition:
    """Raises ValueError for what is no CEL expression, and for one that is certainly neither true nor false."""
    made = Condition(text)
    if misfit := made.not_boolean(field_kind):
        raise ValueError(f"`{misfit.part}` is {misfit.kind}, and a condition must be {Kind.BOOLEAN}: {ADVICE}")
    return made


def amount(text: str) -> Condition:
    """A budget's amount; a bare name is an argument. Raises ValueError for what is certainly no number."""
    made = Condition(f"args.{text}" if text.isidentifier() else text)
    if misfit := made.not_number(field_kind):
        raise ValueError(f"`{misfit.part}` is {misfit.kind}, and an amount must be a number: name an argument")
    return made


def _budget(**fields: Any) -> RuleBudget:
    return RuleBudget(limit=fields.pop("max"), **fields)


IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
ID = Text(least=1, most=128, pattern=IDENTIFIER, what="id")
GLOB = Text(least=1, most=MAX_GLOB, what="glob")
PROSE = Text(most=2000)
NAME = Text(least=1, most=200, what="name")
DURATION = Either(
    (
        str,
        Text(most=20, pattern=r"[0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h|d)", what="duration like 90s or 5m", check=seconds),
    ),
    ((int, float), Number(least=0.001, most=366 * 86400)),
)
EXPRESSION = Text(least=1, most=MAX_LENGTH, what="CEL expression", check=condition)
NAMES = Several(NAME, most=100)
OUTCOME = {"allow": Effect.ALLOW, "deny": Effect.DENY, "step_up": Effect.STEP_UP, "defer": Effect.DEFER}

MATCH = Record(RuleMatch, {"tool": GLOB, "agent": GLOB, "session": GLOB})
COUNT = Number(least=0, whole=True)
ON_EXCEED = Choice({"deny": Effect.DENY, "step_up": Effect.STEP_UP})
RATE = Record(RuleRate, {**{f"per_{period}": COUNT for period in RatePeriod}, "on_exceed": ON_EXCEED})
BUDGET = Record(
    _budget,
    {
        "amount": Text(least=1, most=MAX_LENGTH, what="argument or CEL expression", check=amount),
        "max": Number(least=0, most=1e9),
        "per": Choice(BudgetPeriod),
        "on_exceed": ON_EXCEED,
        "warn_at": Number(least=0.01, most=1),
    },
    required=("amount", "max"),
)
