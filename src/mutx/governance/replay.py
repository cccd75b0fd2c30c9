"""Compute recorded decisions again from their facts.

`recompute(turns, accumulator, engine_of)` walks one session from its first turn, rebuilding the context from the stored
deltas, and judges each decision again on the policy version it names. The answer must be the stored one; what differs
is returned, so that a change of engine or a forged turn shows.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from msgspec import Struct

from mutx.governance.context import ContextAccumulator
from mutx.governance.judge import judge
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.turn import Turn, TurnKind
from mutx.governance.types import Decision


class Difference(Struct, frozen=True):
    """A turn whose stored facts do not lead to its stored decision."""

    turn_id: str
    field: str
    stored: str
    computed: str


def recompute(
    turns: Iterable[Turn], accumulator: ContextAccumulator, engine_of: Callable[[str], PolicyEngine]
) -> list[Difference]:
    """`turns`: one session in order, values not erased. `engine_of`: the engine of a policy version."""
    found: list[Difference] = []
    context = None
    for turn in turns:
        if context is None:
            context = accumulator.new(
                workspace_id=turn.workspace_id,
                session_id=turn.session_id,
                agent_id=turn.action.agent_id,
                user_id=turn.action.user_id,
                now=turn.at,
            )
        if context.hash != turn.facts.context_hash:
            found.append(Difference(turn.id, "context", turn.facts.context_hash, context.hash))
        delta = accumulator.decode_delta(turn.delta)
        if turn.kind is not TurnKind.OUTCOME:
            engine = engine_of(turn.decision.policy_version)
            schema = engine.tool(turn.action.tool_name)
            observation = accumulator.observe(
                context, turn.action, schema, delta.opening, engine.thresholds, turn.facts.measured
            )
            readings = {reading.key: reading.value for reading in turn.facts.readings}
            computed = judge(engine, observation, turn.facts, partial(_reading, readings))
            found.extend(_differences(turn, computed))
        accumulator.apply(context, delta)
    return found


def _reading(readings: Mapping[str, int], key: str) -> int:
    return readings.get(key, 0)


def _differences(turn: Turn, computed: Decision) -> list[Difference]:
    return [
        Difference(turn.id, name, repr(getattr(turn.decision, name)), repr(getattr(computed, name)))
        for name in Decision.__struct_fields__
        if getattr(turn.decision, name) != getattr(computed, name)
    ]
