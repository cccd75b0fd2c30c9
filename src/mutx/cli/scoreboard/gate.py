"""The engine itself as a gate before recorded calls: one session in memory, no model, no network."""

from typing import Any

from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator, SessionContext
from mutx.governance.judge import judge
from mutx.governance.mediator import ActionMediator
from mutx.governance.policy.engine import PolicyEngine
from mutx.governance.turn import Outcome, OutcomeStatus
from mutx.governance.types import Caller, Decision, Door, Effect, Facts, NormalizedAction, PrincipalKind, ToolCall
from mutx.kit.ids import new_id

WORKSPACE = "01890000-0000-7000-8000-00000000be4c"
START = 1_800_014_400.0
CALLER = Caller(
    workspace_id=WORKSPACE,
    principal_id="agent",
    kind=PrincipalKind.AGENT,
    door=Door.EMBEDDED,
    user_id="user",
)


class GateSession:
    """Decides and concludes calls as the pipeline does, with the same facts, short of receipts."""

    def __init__(self, engine: PolicyEngine, request: str, session_id: str = "session") -> None:
        self._engine, self._session_id = engine, session_id
        self._mediator, self._accumulator = ActionMediator(), ContextAccumulator()
        self._now = START
        self._spent: dict[str, int] = {}
        self._request = request
        self.context: SessionContext = self._accumulator.new(
            workspace_id=WORKSPACE, session_id=session_id, agent_id="agent", user_id="user", now=self._now
        )

    def decide(self, tool: str, args: dict[str, Any]) -> tuple[NormalizedAction, Decision]:
        self._now += 1.0
        call = ToolCall(
            tool_name=tool,
            tool_args=args,
            agent_id="agent",
            session_id=self._session_id,
            original_request=self._request,
        )
        engine, context = self._engine, self.context
        action = self._mediator.normalize(call, CALLER, tools=engine.tool, id=new_id(), now=self._now)
        opening = self._accumulator.opening(context, action, call)
        observation = self._accumulator.observe(
            context, action, engine.tool(action.tool_name), opening, engine.thresholds
        )
        facts = Facts(
            context_hash=context.hash,
            now=self._now,
            roles=action.roles,
            scopes=action.scopes,
            principal_kind=CALLER.kind,
        )
        decision = judge(engine, observation, facts, lambda key: self._spent.get(key, 0))
        for charge in decision.charges:
            self._spent[charge.key] = self._spent.get(charge.key, 0) + charge.amount
        self._accumulator.apply(context, self._accumulator.decided(context, action, observation, decision, self._now))
        return action, decision

    def answer(self, action: NormalizedAction, decision: Decision, *, approved: bool) -> None:
        """What waited is released, or refused."""
        effect = Effect.ALLOW if approved else Effect.DENY
        delta = self._accumulator.resolved(self.context, action, replace(decision, effect=effect), self._now)
        self._accumulator.apply(self.context, delta)

    def conclude(self, action: NormalizedAction, result: Any, error: str | None) -> None:
        status = OutcomeStatus.EXECUTED if error is None else OutcomeStatus.ERROR
        outcome = Outcome(status=status, result=result, error=error)
        schema = self._engine.tool(action.tool_name)
        self._accumulator.apply(
            self.context, self._accumulator.concluded(self.context, action, outcome, schema, self._now)
        )
