"""Rate limits and budgets of the deciding rules. Everything follows from counters and the clock in the facts.

A rate's period is a sliding window made of two fixed ones: the calls of the previous one count by the share of it that the
sliding one still covers. Sums are kept in micro-units, so that they are exact.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from math import ceil, floor, isfinite
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mutx.governance.policy.case import Case, Ruling
from mutx.governance.policy.entries import RuleEntry
from mutx.governance.policy.model import BudgetPeriod, RatePeriod, RuleBudget
from mutx.governance.types import STRICTNESS, Charge, Effect, Reading, ReasonCode

MICRO = 1_000_000
_WINDOWS = {RatePeriod.SECOND: 1, RatePeriod.MINUTE: 60, RatePeriod.HOUR: 3600, RatePeriod.DAY: 86_400}
_SECONDS = {BudgetPeriod.HOUR: 3600, BudgetPeriod.DAY: 86_400}


class AppliedLimit(Struct, frozen=True):
    """One limit as this call meets it."""

    entry: RuleEntry
    charge: Charge
    readings: tuple[Reading, ...]
    exceeded: bool
    code: ReasonCode
    on_exceed: Effect
    text: str
    warns: bool = False
    """With this call the sum reaches the share at which to warn."""


def limited(case: Case, ruling: Ruling) -> Ruling:
    """The ruling with its charges and readings, or the strictest that the limits demand which are reached."""
    charges: tuple[Charge, ...] = ()
    readings: tuple[Reading, ...] = ()
    alerts = ruling.alerts
    reached: list[Ruling] = []
    for entry in _limiting(case):
        amount = _amount(case, entry.rule.budget) if entry.rule.budget else 0
        if amount is None:
            if not case.consent.resolves(entry.missing_ask):
                reached.append(_unknown_amount(case, entry, ruling))
            amount = 0
        for limit in (*_rates(case, entry), *_budget(case, entry, amount)):
            readings += limit.readings
            if limit.exceeded and not _waived(case, limit):
                reached.append(_reached(ruling, limit))
            charges += (limit.charge,)
            alerts += (entry.key,) if limit.warns else ()
    if reached:
        return replace(_strictest(ruling, reached), readings=readings)
    code = case.consent.code(ruling.code) if ruling.effect.runs else ruling.code
    return replace(ruling, charges=charges, readings=readings, alerts=alerts, code=code)


def _strictest(ruling: Ruling, reached: list[Ruling]) -> Ruling:
    """Whatever their order. One approval answers all questions at once that go to the same people."""
    worst = max(reached, key=lambda one: STRICTNESS[one.effect])
    asked = [one for one in (worst, *reached, ruling) if one.effect is worst.effect and one.approval == worst.approval]
    return replace(worst, asks=tuple(dict.fromkeys(ask for one in asked for ask in one.asks)))


def _limiting(case: Case) -> Iterator[RuleEntry]:
    """The deciding rules, and the limits that hold whichever rule decided."""
    yield from case.found.applied
    for limit in case.slate.limits:
        if limit.entry.session is None or limit.entry.session.matches(case.action.session_id):
            yield limit.entry


def _rates(case: Case, entry: RuleEntry) -> Iterator[AppliedLimit]:
    rate = entry.rule.rate
    if rate is None:
        return
    for period, most in rate.limits().items():
        if period is RatePeriod.SESSION:
            key = f"rate:{entry.key}:{_plain(case.action.agent_id)}:session:{_plain(case.action.session_id)}"
            used = case.counter(key)
            yield _rate(entry, Charge(key, 1, most, 0), (Reading(key, used),), used, f"{most} calls per session")
        else:
            yield _sliding(case, entry, period, most)


def _sliding(case: Case, entry: RuleEntry, period: RatePeriod, most: int) -> AppliedLimit:
    length = _WINDOWS[period]
    window = floor(case.facts.now / length)
    # A minute's key has no name for its period: it never had one.
    stem = f"rate:{entry.key}:{_plain(case.action.agent_id)}" + ("" if period is RatePeriod.MINUTE else f":{period}")
    key, before = f"{stem}:{window}", f"{stem}:{window - 1}"
    used, earlier = case.counter(key), case.counter(before)
    share = 1 - (case.facts.now - window * length) / length
    left = max(0, most - ceil(earlier * share))
    charge = Charge(key, 1, left, float((window + 2) * length))
    return _rate(entry, charge, (Reading(key, used), Reading(before, earlier)), used, f"{most} calls per {period}")


def _rate(entry: RuleEntry, charge: Charge, readings: tuple[Reading, ...], used: int, text: str) -> AppliedLimit:
    assert entry.rule.rate is not None
    exceeded = used + charge.amount > charge.limit
    if exceeded:
        # Beyond a rate that a person waived, the count must still be kept.
        charge = replace(charge, limit=max(charge.limit, used + charge.amount))
    return AppliedLimit(entry, charge, readings, exceeded, ReasonCode.RATE_LIMITED, entry.rule.rate.on_exceed, text)


def _budget(case: Case, entry: RuleEntry, amount: int) -> Iterator[AppliedLimit]:
    budget = entry.rule.budget
    if budget is None:
        return
    stem = f"budget:{entry.key}:{_plain(case.action.agent_id)}"
    if budget.per is BudgetPeriod.SESSION:
        key, end = f"{stem}:session:{_plain(case.action.session_id)}", 0.0
    else:
        length = _SECONDS[budget.per]
        window = floor(case.facts.now / length)
        key, end = f"{stem}:{budget.per}:{window}", float((window + 1) * length)
    used, most = case.counter(key), micro(budget.limit)
    exceeded = used + amount > most
    # Beyond a budget that a person waived, the sum must still be kept.
    charge = Charge(key, amount, max(most, used + amount) if exceeded else most, end)
    text = f"{budget.limit:g} per {budget.per}"
    warns = budget.warn_at is not None and used < budget.warn_at * most <= used + amount
    yield AppliedLimit(
        entry, charge, (Reading(key, used),), exceeded, ReasonCode.BUDGET_EXCEEDED, budget.on_exceed, text, warns
    )


def micro(amount: Any) -> int:
    """Micro-units, rounded up."""
    return int((Decimal(str(amount)) * MICRO).to_integral_value(ROUND_CEILING))


def _amount(case: Case, budget: RuleBudget) -> int | None:
    """What the call costs; None where that is no number from 0 up: a refund would buy budget back."""
    value = budget.amount.value(case.variables.context)
    if type(value) not in {int, float} or not isfinite(value) or value < 0:
        return None
    return micro(value)


def _waived(case: Case, limit: AppliedLimit) -> bool:
    return limit.on_exceed is Effect.STEP_UP and case.consent.answers(_ask(limit))


def _ask(limit: AppliedLimit) -> str:
    return f"{limit.code}:{limit.entry.key}"


def _reached(ruling: Ruling, limit: AppliedLimit) -> Ruling:
    return replace(
        ruling,
        effect=limit.on_exceed,
        code=limit.code,
        reason=f"rule {limit.entry.key}: the limit of {limit.text} is reached",
        rule=limit.entry.ref,
        asks=(_ask(limit),),
        approval=limit.entry.rule.approval,
    )


def _unknown_amount(case: Case, entry: RuleEntry, ruling: Ruling) -> Ruling:
    assert entry.rule.budget is not None
    expression = entry.rule.budget.amount
    missing = expression.missing(case.variables.root)
    return replace(
        ruling,
        effect=Effect.DEFER,
        code=ReasonCode.MISSING_CONTEXT,
        reason=f"rule {entry.key}: the amount {expression.source} is no number from 0 up",
        rule=entry.ref,
        missing=missing,
        asks=(entry.missing_ask,),
        approval=entry.rule.approval,
    )


def _plain(name: str) -> str:
    """A name within a key: it cannot pretend to be two parts."""
    return name.replace("%", "%25").replace(":", "%3A")
