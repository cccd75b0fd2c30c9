"""A call under a delegation: what the acting agent may do, and each agent that passed the right on may do, and no more.

Each delegating agent is asked about in its own name, so that nobody hands on what it may not do itself; the strictest
answer counts. What the call spends is charged to every hop.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from mutx.governance.context import Observation
from mutx.governance.delegation_scope import spent_at
from mutx.governance.hops import HAND_OFF, DelegationHop
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.policy.limits import micro
from mutx.governance.types import STRICTNESS, Charge, Decision, Effect, Facts, Reading, ReasonCode

Counter = Callable[[str], int]


def under_delegation(
    engine: PolicyEngine, observation: Observation, facts: Facts, counter: Counter, own: Decision
) -> Decision:
    """`own` is what the policies say of the acting agent. Pure, like `judge`."""
    # A standing grant was given to the acting agent: it answers no question put to those before it.
    asked = replace(facts, grants=())
    others = [
        (hop, engine.evaluate(replace(observation.action, agent_id=hop.delegator), observation, asked, counter))
        for hop in facts.delegation
    ]
    for hop, decision in others:
        if decision.effect is Effect.DENY and own.effect is not Effect.DENY:
            reason = f"{hop.delegator}, which delegated this, may not do it itself: {decision.reason}"
            return replace(decision, reason_code=ReasonCode.DELEGATION_SCOPE, reason=reason)
    every = [own, *(decision for _, decision in others)]
    worst = max(every, key=lambda one: STRICTNESS[one.effect])
    if worst.effect is Effect.DENY:
        return own
    if worst.effect.waits:
        return replace(worst, asks=_asks(worst, every))
    return _spending(_together(own, every), observation, facts, counter)


def _asks(worst: Decision, every: Sequence[Decision]) -> tuple[str, ...]:
    """One approval answers all questions of one kind that go to the same people."""
    asking = (one for one in every if one.effect is worst.effect and one.approval == worst.approval)
    return tuple(dict.fromkeys(ask for one in asking for ask in one.asks))


def _together(own: Decision, every: Sequence[Decision]) -> Decision:
    """One decision that lets the call run, with what all of them change and charge."""
    changed = [one for one in every if one.modified_args is not None]
    if any(one.modified_args != changed[0].modified_args for one in changed):
        return replace(
            own,
            effect=Effect.DENY,
            reason_code=ReasonCode.DELEGATION_SCOPE,
            reason="the policies of the agents that delegated this change the arguments in different ways",
            modified_args=None,
            modifications=(),
            charges=(),
        )
    merged = replace(
        own,
        charges=tuple({charge.key: charge for one in every for charge in one.charges}.values()),
        readings=tuple({reading.key: reading for one in every for reading in one.readings}.values()),
        alerts=tuple(dict.fromkeys(alert for one in every for alert in one.alerts)),
        notify=tuple(dict.fromkeys(name for one in every for name in one.notify)),
    )
    if not changed:
        return merged
    return replace(
        merged, effect=Effect.MODIFY, modified_args=changed[0].modified_args, modifications=changed[0].modifications
    )


def _spending(decision: Decision, observation: Observation, facts: Facts, counter: Counter) -> Decision:
    """With what the call takes from each hop, or denied where nothing is left of one. Handing on takes nothing."""
    if not decision.effect.runs or observation.action.tool_name.startswith(HAND_OFF):
        return decision
    charges, readings = list(decision.charges), list(decision.readings)
    args = observation.action.tool_args if decision.modified_args is None else decision.modified_args
    for hop in facts.delegation:
        for what, charge in _charges(hop, args):
            if charge is None:
                return _refused(decision, ReasonCode.DELEGATION_SCOPE, f"{what} is no number from 0 up", readings)
            used = counter(charge.key)
            readings.append(Reading(charge.key, used))
            if used + charge.amount > charge.limit:
                return _refused(
                    decision, ReasonCode.DELEGATION_SPENT, f"{what} of delegation {hop.id} are used up", readings
                )
            charges.append(charge)
    return replace(decision, charges=tuple(charges), readings=tuple(readings))


def _charges(hop: DelegationHop, args: dict[str, object]) -> Iterator[tuple[str, Charge | None]]:
    """What is limited, and what this call takes of it; None: that cannot be told."""
    end = hop.expires_at + 1
    if hop.calls is not None:
        yield f"the {hop.calls} calls", Charge(f"delegation:{hop.id}:calls", 1, hop.calls, end)
    if hop.budget is not None:
        spent = spent_at(args, hop.budget.argument)
        if spent is None:
            yield hop.budget.argument, None
        else:
            key, most = f"delegation:{hop.id}:budget", micro(hop.budget.max)
            yield f"the {hop.budget.max:g} of {hop.budget.argument}", Charge(key, micro(spent), most, end)


def _refused(decision: Decision, code: ReasonCode, reason: str, readings: Sequence[Reading]) -> Decision:
    return replace(
        decision,
        effect=Effect.DENY,
        reason_code=code,
        reason=reason,
        readings=tuple(readings),
        modified_args=None,
        modifications=(),
        charges=(),
        alerts=(),
    )
