"""What an administrator has taken away from a principal, on an agent or a tool, below what its roles give.

Limits only narrow. A denial that fits forbids. Where a principal has grants for a verb, one of them has to fit: whoever is
granted something in particular has lost the rest. Without either, the roles alone decide.
"""

from collections.abc import Sequence

from mutx.governance.policy.globs import parse_glob
from mutx.governance.types import AccessLimit, LimitedVerb


def silenced(limits: Sequence[AccessLimit], agent_id: str) -> str | None:
    """The id of a denial of whatever an agent might do; None if there is none."""
    for limit in limits:
        whole = limit.verb is LimitedVerb.ACT and not limit.allows and limit.tool == "*"
        if whole and parse_glob(limit.agent).matches(agent_id):
            return limit.id
    return None


def forbidden(limits: Sequence[AccessLimit], verb: LimitedVerb, agent_id: str, tool: str = "") -> str | None:
    """The id of the limit that forbids it; None if none does."""
    grants = []
    fits = False
    for limit in limits:
        if limit.verb is not verb:
            continue
        matches = parse_glob(limit.agent).matches(agent_id) and parse_glob(limit.tool).matches(tool)
        if matches and not limit.allows:
            return limit.id
        if limit.allows:
            grants.append(limit)
            fits = fits or matches
    return grants[0].id if grants and not fits else None
