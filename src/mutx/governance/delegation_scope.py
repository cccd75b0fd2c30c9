"""Whether a hop is a part of the one before, and whether a chain of them reaches a call. Pure."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from mutx.governance.hops import HAND_OFF, DelegationGrant, DelegationHop
from mutx.governance.policy.globs import covers, parse_glob


def excess(child: DelegationHop, parent: DelegationHop) -> list[str]:
    """In what `child` is more than a part of `parent`; nothing where it is a subset."""
    found = []
    if child.delegator != parent.delegate:
        found.append(f"{child.delegator} was delegated nothing by {parent.delegator}")
    if child.depth >= parent.depth:
        found.append(f"{parent.depth} further hops are allowed, and this one with its own makes {child.depth + 1}")
    if child.expires_at > parent.expires_at:
        found.append("it would outlive the delegation it is a part of")
    found += [f"{grant.tool} is not within its own scope" for grant in child.grants if not _granted(grant, parent)]
    if parent.calls is not None and child.calls is not None and child.calls > parent.calls:
        found.append(f"{child.calls} calls are more than its own {parent.calls}")
    if parent.budget is not None and child.budget is not None:
        same = parent.budget.argument == child.budget.argument
        if same and child.budget.max > parent.budget.max:
            found.append(f"a budget of {child.budget.max:g} is more than its own {parent.budget.max:g}")
    return found


def _granted(grant: DelegationGrant, parent: DelegationHop) -> bool:
    return any(
        covers(held.tool, grant.tool)
        and all(path in grant.ceilings and grant.ceilings[path] <= most for path, most in held.ceilings.items())
        for held in parent.grants
    )


def out_of_scope(chain: Sequence[DelegationHop], agent_id: str, tool: str, args: dict[str, Any], now: float) -> str:
    """Why the chain does not reach this call, looked at hop by hop; empty where it does."""
    if chain[-1].delegate != agent_id:
        return f"the delegation is {chain[-1].delegate}'s, and {agent_id} acts"
    before: DelegationHop | None = None
    for hop in chain:
        if before is not None and (more := excess(hop, before)):
            return f"delegation {hop.id} is no part of the one before: {'; '.join(more)}"
        if now >= hop.expires_at:
            return f"the delegation of {hop.delegator} to {hop.delegate} has expired; ask for a new one"
        if why := _beyond(hop, tool, args):
            return why
        before = hop
    return ""


def _beyond(hop: DelegationHop, tool: str, args: dict[str, Any]) -> str:
    if tool.startswith(HAND_OFF):
        return "" if hop.depth else f"what {hop.delegator} delegated to {hop.delegate} may not be handed on"
    fitting = [grant for grant in hop.grants if parse_glob(grant.tool).matches(tool)]
    if not fitting:
        return f"{tool} is not among what {hop.delegator} delegated to {hop.delegate}"
    if not any(_within(grant, args) for grant in fitting):
        bounds = ", ".join(f"{path} <= {most:g}" for path, most in fitting[0].ceilings.items())
        return f"{hop.delegator} delegated {tool} to {hop.delegate} only with {bounds}"
    return ""


def _within(grant: DelegationGrant, args: dict[str, Any]) -> bool:
    return all((value := number_at(args, path)) is not None and value <= most for path, most in grant.ceilings.items())


def number_at(args: dict[str, Any], path: str) -> float | None:
    """The number at a dotted path; None where there is none."""
    value: Any = args
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if type(value) in {int, float} and isfinite(value) else None


def spent_at(args: dict[str, Any], path: str) -> float | None:
    """What a call takes from a budget: nothing where the argument is absent; None where it is no number from 0 up."""
    value: Any = args
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return 0.0
        value = value[part]
    return value if type(value) in {int, float} and isfinite(value) and value >= 0 else None
