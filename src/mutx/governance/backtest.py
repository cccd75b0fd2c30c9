"""Recorded decisions against another policy: what would have been denied, asked about or allowed.

`Backtest(engine, since).session(turns)` walks one session from its first turn. The context is built anew under the new
policy's labels from the recorded results; where a result was erased, the recorded delta stands. What was allowed then
is taken to have run as it did: a decision that would have been another is not followed into what would have come of it.
Rates and budgets are charged as the new policy would charge them. Nothing is written, and no person is asked.
"""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator, SessionContext
from mutx.governance.context.apply import apply
from mutx.governance.judge import judge
from mutx.governance.labels import declared
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.turn import Outcome, Turn, TurnKind
from mutx.governance.types import STRICTNESS, Decision, Effect

MAX_EXAMPLES = 50
MAX_PER_CHANGE = 3
"""Examples of one kind of change."""
MAX_CHANGES = 1000
"""Kinds of change that are told apart."""


class Change(Struct, frozen=True):
    """One kind of difference. `rule`: what decides now, else the reason code."""

    agent_id: str
    tool_name: str
    before: Effect
    after: Effect
    rule: str

    @property
    def stricter(self) -> bool:
        return STRICTNESS[self.after] > STRICTNESS[self.before]


class Example(Struct, frozen=True):
    """One decision that would be another, without its arguments."""

    session_id: str
    action_id: str
    at: float
    change: Change
    reason: str


class Backtest:
    """Tallies over any number of sessions of one workspace."""

    def __init__(self, engine: PolicyEngine, since: float) -> None:
        self._engine, self._since = engine, since
        self._accumulator = ContextAccumulator()
        self._spent: Counter[str] = Counter()
        self.sessions = self.turns = self.decisions = self.erased = self.changed = self.stricter = 0
        self.effects: Counter[tuple[Effect, Effect]] = Counter()
        """(recorded, now) -> decisions."""
        self.changes: Counter[Change] = Counter()
        self.examples: list[Example] = []
        self._shown: Counter[Change] = Counter()

    def session(self, turns: Iterable[Turn]) -> None:
        """One session in order, from its first turn."""
        context: SessionContext | None = None
        self.sessions += 1
        for turn in turns:
            self.turns += 1
            if context is None:
                context = self._opened(turn)
            if turn.kind is TurnKind.OUTCOME:
                self._concluded(context, turn)
            else:
                self._decided(context, turn)

    def _opened(self, turn: Turn) -> SessionContext:
        action = turn.action
        return self._accumulator.new(
            workspace_id=turn.workspace_id,
            session_id=turn.session_id,
            agent_id=action.agent_id,
            user_id=action.user_id,
            now=turn.at,
        )

    def _decided(self, context: SessionContext, turn: Turn) -> None:
        delta = self._accumulator.decode_delta(turn.delta)
        schema = self._engine.tool(turn.action.tool_name)
        if turn.kind is TurnKind.DECISION and turn.at >= self._since and turn.facts.noted is None:
            if turn.sealed.args is None:
                self.erased += 1
            else:
                observation = self._accumulator.observe(
                    context, turn.action, schema, delta.opening, self._engine.thresholds, turn.facts.measured
                )
                decision = judge(self._engine, observation, turn.facts, self._spent.__getitem__)
                self._compare(turn, decision)
        if delta.output is not None:
            delta = replace(delta, output=declared(schema))
        apply(context, delta)

    def _compare(self, turn: Turn, decision: Decision) -> None:
        self.decisions += 1
        for charge in decision.charges:
            self._spent[charge.key] += charge.amount
        before, after = turn.decision.effect, decision.effect
        self.effects[before, after] += 1
        if before is after:
            return
        self.changed += 1
        rule = f"{decision.rule.policy}/{decision.rule.id}" if decision.rule else ""
        decides = rule if decision.reason_code.value == "rule" and rule else decision.reason_code.value
        change = Change(turn.action.agent_id, turn.action.tool_name, before, after, decides)
        self.stricter += change.stricter
        if change in self.changes or len(self.changes) < MAX_CHANGES:
            self.changes[change] += 1
        if len(self.examples) < MAX_EXAMPLES and self._shown[change] < MAX_PER_CHANGE:
            self._shown[change] += 1
            self.examples.append(Example(turn.session_id, turn.action.id, turn.at, change, decision.reason))

    def _concluded(self, context: SessionContext, turn: Turn) -> None:
        sealed = turn.sealed
        if turn.outcome is None or (sealed.result is None and sealed.error is None):
            apply(context, self._accumulator.decode_delta(turn.delta))
            return
        outcome = Outcome(status=turn.outcome.status, result=sealed.result, error=sealed.error)
        schema = self._engine.tool(turn.action.tool_name)
        found = self._accumulator.concluded(context, turn.action, outcome, schema, turn.at)
        apply(context, replace(found, signals=self._accumulator.decode_delta(turn.delta).signals))
