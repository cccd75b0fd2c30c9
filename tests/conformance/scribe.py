"""Writes turns as the pipeline's tail does: real context, real receipts, real events; decisions are made up."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator
from mutx.governance.ports import Ledger, SessionState
from mutx.governance.receipts import ReceiptGenerator
from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.turn import (
    ApprovalRequest,
    Grant,
    Outcome,
    OutcomeStatus,
    PermitRecord,
    RequestKind,
    RequestStatus,
    Turn,
    TurnKind,
)
from mutx.governance.types import (
    ApprovalSpec,
    Caller,
    Charge,
    Decision,
    Door,
    Effect,
    Facts,
    NormalizedAction,
    PrincipalKind,
    ReasonCode,
    ToolCall,
)
from mutx.kit.canonical import digest
from mutx.kit.clock import ManualClock
from mutx.kit.ids import new_id, new_token
from mutx.services.signing.signer import EphemeralSigner


class Scribe:
    """One workspace's hand in a ledger."""

    def __init__(
        self, ledger: Ledger, accumulator: ContextAccumulator, clock: ManualClock, workspace_id: str = "ws-1"
    ) -> None:
        self.ledger = ledger
        self.clock = clock
        self.workspace_id = workspace_id
        self.caller = Caller(
            workspace_id=workspace_id,
            principal_id="key-1",
            kind=PrincipalKind.AGENT,
            door=Door.HTTP,
            user_id="user-1",
            agent_id="agent-1",
        )
        self._accumulator = accumulator
        self._receipts = ReceiptGenerator(EphemeralSigner())
        self._telemetry = TelemetryExporter()

    async def state(self, session_id: str = "s-1") -> SessionState:
        return self.ledger.cached(self.workspace_id, session_id) or await self.ledger.load(
            self.workspace_id, session_id
        )

    def action(self, session_id: str = "s-1", *, agent_id: str = "agent-1", **args: Any) -> NormalizedAction:
        name = new_id()
        return NormalizedAction(
            id=name,
            tool_name="mail.send",
            operation="call",
            tool_args=args or {"to": "ann@example.com", "amount": 12},
            agent_id=agent_id,
            session_id=session_id,
            user_id="user-1",
            service=None,
            roles=(),
            scopes=(),
            trigger="manual",
            runtime="mutx",
            parent_action_id=None,
            timestamp=self.clock.now(),
            action_hash=digest({"id": name, "args": args}),
            workspace_id=self.workspace_id,
            input_preview="please write to Ann",
        )

    def decision(self, effect: Effect = Effect.ALLOW, *charges: Charge, **more: Any) -> Decision:
        return Decision(
            effect=effect,
            reason_code=ReasonCode.RULE,
            reason="a rule applied",
            policy_version="v1",
            charges=charges,
            **more,
        )

    def decided(
        self,
        state: SessionState,
        action: NormalizedAction,
        decision: Decision,
        *,
        requests: tuple[ApprovalRequest, ...] = (),
        closed: bool = False,
    ) -> Turn:
        """The decision's turn; `state.context` moves on, as it does in the pipeline."""
        call = ToolCall(tool_name=action.tool_name, agent_id=action.agent_id, session_id=action.session_id)
        opening = self._accumulator.opening(state.context, action, call)
        observation = self._accumulator.observe(state.context, action, None, opening)
        delta = self._accumulator.decided(state.context, action, observation, decision, self.clock.now())
        facts = replace(self._facts(state), closed=closed)
        permit = self.permit(action) if decision.effect.runs else None
        parts = {"requests": requests, "permit": permit}
        return self._turn(state, TurnKind.DECISION, action, decision, delta, facts, **parts)

    def resolved(
        self,
        state: SessionState,
        action: NormalizedAction,
        decision: Decision,
        requests: tuple[ApprovalRequest, ...],
        new_grants: tuple[Grant, ...] = (),
    ) -> Turn:
        delta = self._accumulator.resolved(state.context, action, decision, self.clock.now())
        permit = self.permit(action) if decision.effect.runs else None
        parts = {"requests": requests, "permit": permit, "new_grants": new_grants}
        return self._turn(state, TurnKind.RESOLUTION, action, decision, delta, self._facts(state), **parts)

    def concluded(self, state: SessionState, action: NormalizedAction, decision: Decision, outcome: Outcome) -> Turn:
        delta = self._accumulator.concluded(state.context, action, outcome, None, self.clock.now())
        return self._turn(state, TurnKind.OUTCOME, action, decision, delta, self._facts(state), outcome=outcome)

    def permit(self, action: NormalizedAction) -> PermitRecord:
        args_hash = digest(action.tool_args)
        return PermitRecord(
            id=new_id(), args_hash=args_hash, expires_at=self.clock.now() + 60, audience=action.agent_id
        )

    def request(self, action: NormalizedAction, **more: Any) -> ApprovalRequest:
        now = self.clock.now()
        fields: dict[str, Any] = {
            "id": new_id(),
            "token": new_token(),
            "kind": RequestKind.STEP_UP,
            "status": RequestStatus.PENDING,
            "reason": "a person should look",
            "asks": ("p/r",),
            "spec": ApprovalSpec(),
            "created_at": now,
            "expires_at": now + 300,
            "escalates_at": now + 180,
        }
        return ApprovalRequest(
            workspace_id=self.workspace_id,
            session_id=action.session_id,
            action_id=action.id,
            action_hash=action.action_hash,
            tool_name=action.tool_name,
            agent_id=action.agent_id,
            user_id=action.user_id,
            **(fields | more),
        )

    def grant(self, uses: int = 1, **more: Any) -> Grant:
        now = self.clock.now()
        fields: dict[str, Any] = {"id": new_id(), "agent_id": "agent-1", "tool_name": "mail.send"}
        return Grant(
            workspace_id=self.workspace_id,
            rules=("p/r",),
            granted_by="user-2",
            created_at=now,
            expires_at=now + 3600,
            uses_left=uses,
            **(fields | more),
        )

    async def allow(self, session_id: str = "s-1", *charges: Charge, **args: Any) -> Turn:
        """A tool call allowed and on record."""
        return await self.decide(self.action(session_id, **args), self.decision(Effect.ALLOW, *charges))

    async def decide(
        self, action: NormalizedAction, decision: Decision, requests: tuple[ApprovalRequest, ...] = ()
    ) -> Turn:
        state = await self.state(action.session_id)
        turn = self.decided(state, action, decision, requests=requests)
        await self.ledger.append(state, turn)
        return turn

    async def wait(self, session_id: str = "s-1", **more: Any) -> tuple[Turn, ApprovalRequest]:
        """A tool call that waits for a person."""
        action = self.action(session_id)
        request = self.request(action, **more)
        return await self.decide(action, self.decision(Effect.STEP_UP), (request,)), request

    async def conclude(self, turn: Turn, result: Any = "sent", error: str | None = None) -> Turn:
        state = await self.state(turn.session_id)
        status = OutcomeStatus.EXECUTED if error is None else OutcomeStatus.ERROR
        outcome = Outcome(status=status, result=result, error=error)
        concluded = self.concluded(state, turn.action, turn.decision, outcome)
        await self.ledger.append(state, concluded)
        return concluded

    def _facts(self, state: SessionState) -> Facts:
        return Facts(
            context_hash=state.context.hash,
            now=self.clock.now(),
            roles=(),
            scopes=(),
            principal_kind=PrincipalKind.AGENT,
        )

    def _turn(
        self,
        state: SessionState,
        kind: TurnKind,
        action: NormalizedAction,
        decision: Decision,
        delta: Any,
        facts: Facts,
        *,
        requests: Sequence[ApprovalRequest] = (),
        permit: PermitRecord | None = None,
        outcome: Outcome | None = None,
        new_grants: tuple[Grant, ...] = (),
    ) -> Turn:
        place = {
            "kind": kind,
            "workspace_id": self.workspace_id,
            "session_id": action.session_id,
            "seq": state.seq + 1,
            "prev": state.head,
            "at": self.clock.now(),
            "caller": self.caller,
            "action": action,
            "facts": facts,
            "decision": decision,
            "permit": permit,
            "outcome": outcome,
        }
        receipt, sealed = self._receipts.seal(id=new_id(), request=requests[0] if requests else None, **place)
        turn = Turn(
            id=receipt.id,
            receipt=receipt,
            sealed=sealed,
            delta=self._accumulator.encode_delta(delta),
            requests=tuple(requests),
            grant_id=decision.grant_id,
            new_grants=new_grants,
            **place,
        )
        self._accumulator.apply(state.context, delta)
        return replace(turn, events=self._telemetry.events(turn))


def charge(amount: int = 1, limit: int = 3, key: str = "rate:p/r:agent-1:0") -> Charge:
    return Charge(key, amount, limit, 0.0)
