"""How a delta changes a context: plain assignments within fixed bounds, the same live and in replay."""

from typing import Any

from msgspec.structs import replace

from mutx.governance.context.delta import ContextDelta, SessionOpening
from mutx.governance.context.session import ActionRecord, PendingOutput, SessionContext, SessionCounters, ToolRuns
from mutx.governance.labels import strictest
from mutx.governance.turn import OutcomeStatus
from mutx.governance.types import Confidentiality, Effect, Label

MAX_RECORDS = 100
KEPT_RECORDS = 20
"""What compaction keeps of `actions`, `data_accessed` and `intent_signals` when one passes `MAX_RECORDS`."""
MAX_PENDING = 256
MAX_TOOLS = 1024
MAX_DENIALS = 256
MAX_SIGNALS = 128
OTHER_SIGNALS = "*"
"""Stands for every signal beyond that."""
PHASE_TOOL = "phase/"
"""A call of `phase/<id>` that is allowed enters that phase of the workflow."""

_NOTHING = Label(Confidentiality.PUBLIC, trusted=True)


def apply(context: SessionContext, delta: ContextDelta) -> None:
    if delta.opening is not None:
        open_session(context, delta.opening, delta.at)
    context.updated_at = delta.at
    for sighting in delta.sightings:
        context.provenance.add(sighting)
    if delta.record is not None:
        _decided(context, delta, delta.record)
    elif delta.effect is not None:
        _resolved(context, delta, delta.effect)
    elif delta.status is not None:
        _concluded(context, delta, delta.status)
    if delta.signals:
        _signalled(context, delta.signals)
    if delta.holds is not None:
        _hold(context, delta.holds)


def open_session(context: SessionContext, opening: SessionOpening, at: float) -> None:
    """Take over who opened the session, when, and what for."""
    context.agent_id, context.user_id, context.created_at = opening.agent_id, opening.user_id, at
    context.original_request, context.stated_intent = opening.original_request, opening.stated_intent
    for derived in ("_scope", "request_phrase", "features"):
        context.__dict__.pop(derived, None)
    if opening.mentioned is not None:
        context.provenance.add(opening.mentioned)


def _decided(context: SessionContext, delta: ContextDelta, record: ActionRecord) -> None:
    context.counters.tool_call_count += 1
    _keep(context.actions, record)
    context.intent, context.drift = delta.intent, delta.drift
    context.farthest = max(context.farthest, delta.step)
    _keep(context.intent_signals, delta.intent)
    if delta.depth is not None:
        context.waiting[record.id] = delta.depth
    if delta.output is not None:
        context.pending[record.id] = PendingOutput(delta.output, may_run=False)
    _count(context, record.effect, delta.at)
    if record.effect.runs:
        _may_run(context, record.id, record.tool_name, delta.at)


def _resolved(context: SessionContext, delta: ContextDelta, effect: Effect) -> None:
    _count(context, effect, delta.at)
    if effect.waits:
        return
    context.waiting.pop(delta.action_id, None)
    _amend(context, delta.action_id, effect=effect)
    if effect.runs:
        _may_run(context, delta.action_id, delta.tool_name, delta.at)
    else:
        context.pending.pop(delta.action_id, None)


def _concluded(context: SessionContext, delta: ContextDelta, status: OutcomeStatus) -> None:
    context.counters.error_count += status is OutcomeStatus.ERROR
    _amend(context, delta.action_id, status=status, output=delta.label)
    _hold(context, delta.label)
    context.unreported = context.unreported or delta.unreported
    if delta.lowered is not None:
        context.confidentiality = min(context.confidentiality, delta.lowered)
    if delta.access is not None:
        _keep(context.data_accessed, delta.access)
    if context.pending.pop(delta.action_id, None) is not None:
        context.assumed = _assumed(context)


def _signalled(context: SessionContext, names: tuple[str, ...]) -> None:
    counts = context.signals
    for name in names:
        key = name if name in counts or len(counts) < MAX_SIGNALS else OTHER_SIGNALS
        counts[key] = counts.get(key, 0) + 1


def _may_run(context: SessionContext, action_id: str, tool_name: str, at: float) -> None:
    """From now on the agent may hold the action's output."""
    pending = context.pending
    output = pending.pop(action_id, None)
    if output is not None:
        pending[action_id] = PendingOutput(output.label, may_run=True)
        context.assumed = strictest(context.assumed, output.label)
    if len(pending) > MAX_PENDING + len(context.waiting):
        _give_up(context)
    _ran(context, tool_name, at)


def _ran(context: SessionContext, tool_name: str, at: float) -> None:
    """Count the run; of too many tools the one that has not run for longest is forgotten."""
    last, runs = context.tool_last_at, context.runs
    context.run_count = number = context.run_count + 1
    before = runs.get(tool_name)
    runs[tool_name] = (
        ToolRuns(1, number, number) if before is None else ToolRuns(before.count + 1, before.first, number)
    )
    last.pop(tool_name, None)
    last[tool_name] = at
    if len(last) > MAX_TOOLS:
        oldest = next(iter(last))
        context.runs_forgotten_until = last.pop(oldest)
        runs.pop(oldest, None)
    if tool_name.startswith(PHASE_TOOL):
        context.phase, context.phase_at = tool_name.removeprefix(PHASE_TOOL), at


def _give_up(context: SessionContext) -> None:
    """Too many never concluded: the oldest counts as output that will never be shown."""
    oldest = next(action for action, output in context.pending.items() if output.may_run)
    label = context.pending.pop(oldest).label
    _hold(context, label)
    context.unreported = context.unreported or not label.trusted


def _hold(context: SessionContext, label: Label) -> None:
    context.confidentiality = max(context.confidentiality, label.confidentiality)
    context.untrusted_seen = context.untrusted_seen or not label.trusted


def _assumed(context: SessionContext) -> Label:
    label = _NOTHING
    for output in context.pending.values():
        if output.may_run:
            label = strictest(label, output.label)
    return label


def _count(context: SessionContext, effect: Effect, at: float) -> None:
    counters: SessionCounters = context.counters
    match effect:
        case Effect.ALLOW:
            counters.permit_count += 1
        case Effect.MODIFY:
            counters.modified_count += 1
        case Effect.DENY:
            counters.denied_count += 1
            context.denied_at.append(at)
            del context.denied_at[:-MAX_DENIALS]
        case _:
            counters.defer_count += 1


def _amend(context: SessionContext, action_id: str, **changes: Any) -> None:
    """Update the action's record, if it is still among the recent ones."""
    actions = context.actions
    for at in range(len(actions) - 1, -1, -1):
        if actions[at].id == action_id:
            actions[at] = replace(actions[at], **changes)
            return


def _keep(items: list[Any], item: Any) -> None:
    items.append(item)
    if len(items) > MAX_RECORDS:
        del items[:-KEPT_RECORDS]
