"""The first rules that apply: by priority, final denials before all, as DESIGN §2 (4) has it."""

from mutx.governance.policy.entries import Found, RuleEntry
from mutx.governance.policy.snapshot import PolicySnapshot, Slate
from mutx.governance.policy.variables import Variables
from mutx.governance.types import Facts, NormalizedAction


def search(
    snapshot: PolicySnapshot, slate: Slate, action: NormalizedAction, variables: Variables | None, facts: Facts
) -> Found:
    """The rules of the first priority at which one applies or cannot be evaluated.

    A rule that cannot be evaluated is passed over where a person has approved just that. The best few rules are tried
    one by one; what the arguments rule out of the many that follow is looked up.
    """
    found = nothing = snapshot.nothing
    arguments = action.tool_args
    level = -1
    for entry in slate.first:
        if level >= 0 and entry.level != level:
            return found
        holds = entry.quick(arguments) if entry.quick is not None else _holds(entry, action, variables)
        if holds is False or (holds is None and entry.missing_ask in facts.satisfied):
            continue
        found = snapshot.alone[entry.rank] if holds and found is nothing else _joined(found, entry, holds)
        level = entry.level
    if not slate.rest:
        return found
    live = slate.rest if level < 0 else slate.rest & slate.first[-1].upto
    return _try_rest(_narrowed(live, snapshot, slate, action), snapshot, found, action, variables, facts)


def _narrowed(live: int, snapshot: PolicySnapshot, slate: Slate, action: NormalizedAction) -> int:
    """Bits of the rules that session and arguments do not rule out."""
    for table in slate.tables:
        if not live:
            return 0
        possible = table.live(action.tool_args)
        if possible is not None:
            live &= possible
    return live & snapshot.sessions.match(action.session_id) if slate.sessions and live else live


def _try_rest(
    live: int,
    snapshot: PolicySnapshot,
    found: Found,
    action: NormalizedAction,
    variables: Variables | None,
    facts: Facts,
) -> Found:
    nothing = snapshot.nothing
    while live:
        low = live & -live
        live ^= low
        entry = snapshot.entries[low.bit_length() - 1]
        holds = entry.quick(action.tool_args) if entry.quick is not None else _holds(entry, action, variables)
        if holds is False or (holds is None and entry.missing_ask in facts.satisfied):
            continue
        found = snapshot.alone[entry.rank] if holds and found is nothing else _joined(found, entry, holds)
        live &= entry.upto
    return found


def _holds(entry: RuleEntry, action: NormalizedAction, variables: Variables | None) -> bool | None:
    """Tool and agent match already. None: the condition cannot be evaluated."""
    if entry.session is not None and not entry.session.matches(action.session_id):
        return False
    if entry.when is None:
        return True
    if entry.when.quick is not None:
        return entry.when.quick(action.tool_args)
    assert variables is not None  # only slates without such conditions go without
    return entry.when.holds(variables.root, variables.context)


def _joined(found: Found, entry: RuleEntry, holds: bool | None) -> Found:
    if holds:
        return Found((*found.applied, entry), found.unknown)
    return Found(found.applied, (*found.unknown, entry))
