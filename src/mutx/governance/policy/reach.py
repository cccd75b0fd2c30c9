"""Whether any call of a tool could be let through: what a listing of tools may leave out."""

from mutx.governance.policy.entries import RuleEntry
from mutx.governance.policy.postings import ranks_of
from mutx.governance.policy.snapshot import PolicySnapshot
from mutx.governance.policy.standing import default_for
from mutx.governance.types import Effect, Risk


def denied_outright(snapshot: PolicySnapshot, tool: str, agent: str) -> str | None:
    """Why every call of `tool` by `agent` is denied, whatever its arguments and session; None if one might not be.

    It errs on one side only: a tool that it names is never allowed, also not by a person.
    """
    schema = snapshot.tool(tool)
    if schema is not None and schema.risk is Risk.CRITICAL:
        return f"{schema.name} is declared as critical risk: it never runs"
    certain: RuleEntry | None = None
    for rank in ranks_of(snapshot.tools.match(tool) & snapshot.agents.match(agent)):
        entry = snapshot.entries[rank]
        if certain is not None and entry.level != certain.level:
            break
        if entry.effect is not Effect.DENY:
            return None
        if entry.when is None and entry.session is None:
            if entry.final:
                return entry.reason
            certain = certain or entry
    if certain is not None:
        return certain.reason
    return "no rule allows it" if default_for(agent, snapshot.defaults)[0] is Effect.DENY else None
