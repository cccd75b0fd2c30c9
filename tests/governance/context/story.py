"""A session as a test tells it: the real mediator and accumulator, and the turns that led here."""

from typing import Any

from mutx.governance.context import ContextAccumulator, ContextDelta, Observation, SessionContext
from mutx.governance.labels import Classifier
from mutx.governance.mediator import ActionMediator
from mutx.governance.tools import ToolSchema
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import (
    Caller,
    Confidentiality,
    Decision,
    Door,
    Effect,
    Label,
    NormalizedAction,
    Origin,
    PrincipalKind,
    ReasonCode,
    ToolCall,
)

CALLER = Caller(workspace_id="w1", principal_id="p1", kind=PrincipalKind.AGENT, door=Door.EMBEDDED, user_id="ann")
TRUSTED = ToolSchema(name="contacts", output=Label(Confidentiality.INTERNAL, trusted=True))
UNTRUSTED = ToolSchema(name="read_web", output=Label(Confidentiality.PUBLIC, trusted=False))


def decision(effect: Effect = Effect.ALLOW) -> Decision:
    return Decision(effect=effect, reason_code=ReasonCode.RULE, reason="test", policy_version="v1")


class Story:
    def __init__(self, request: str | None = None, *classifiers: Classifier) -> None:
        self.accumulator = ContextAccumulator(classifiers)
        self.mediator = ActionMediator()
        self.request = request
        self.now = 1_800_000_000.0
        self.count = 0
        self.deltas: list[bytes] = []
        self.context = self.new()

    def new(self) -> SessionContext:
        """The session before its first turn, as a store that knows nothing of it would make it."""
        return self.accumulator.new(workspace_id="w1", session_id="s1", agent_id="", user_id="", now=1_800_000_000.0)

    def action(self, tool: str, args: dict[str, Any] | None = None, **more: Any) -> tuple[NormalizedAction, ToolCall]:
        self.count += 1
        call = ToolCall(
            tool_name=tool,
            agent_id="agent",
            session_id="s1",
            tool_args=args or {},
            original_request=self.request,
            **more,
        )
        name = f"{self.count:08d}"
        return self.mediator.normalize(call, CALLER, tools=lambda _: None, id=name, now=self.now), call

    def observe(self, tool: str, schema: ToolSchema | None = None, **args: Any) -> Observation:
        action, call = self.action(tool, args)
        return self.accumulator.observe(
            self.context, action, schema, self.accumulator.opening(self.context, action, call)
        )

    def decide(
        self,
        tool: str,
        args: dict[str, Any] | None = None,
        *,
        schema: ToolSchema | None = None,
        effect: Effect = Effect.ALLOW,
        **more: Any,
    ) -> NormalizedAction:
        action, call = self.action(tool, args, **more)
        opening = self.accumulator.opening(self.context, action, call)
        observation = self.accumulator.observe(self.context, action, schema, opening)
        self.take(self.accumulator.decided(self.context, action, observation, decision(effect), self.now))
        return action

    def resolve(self, action: NormalizedAction, effect: Effect) -> None:
        self.take(self.accumulator.resolved(self.context, action, decision(effect), self.now))

    def conclude(
        self,
        action: NormalizedAction,
        result: Any = None,
        *,
        schema: ToolSchema | None = None,
        error: str | None = None,
    ) -> None:
        status = OutcomeStatus.ERROR if error is not None else OutcomeStatus.EXECUTED
        outcome = Outcome(status=status, result=result, error=error)
        self.take(self.accumulator.concluded(self.context, action, outcome, schema, self.now))

    def run(self, schema: ToolSchema | None, result: Any, **args: Any) -> NormalizedAction:
        """A call that was allowed and told its result."""
        action = self.decide("undeclared" if schema is None else schema.name, args, schema=schema)
        self.conclude(action, result, schema=schema)
        return action

    def take(self, delta: ContextDelta) -> None:
        self.now += 1
        self.deltas.append(self.accumulator.encode_delta(delta))
        self.accumulator.apply(self.context, delta)

    def origin(self, value: Any) -> Origin:
        return self.context.origin(value).origin
