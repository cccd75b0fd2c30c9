"""seal -> append -> tell: the tail that every verb ends in, so that nothing leaves without its receipt."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from mutx.governance.context import ContextAccumulator, ContextDelta
from mutx.governance.ports import Ledger, SessionState
from mutx.governance.receipts import ReceiptGenerator
from mutx.governance.telemetry import TelemetryExporter
from mutx.governance.turn import ApprovalRequest, Grant, Outcome, PermitRecord, Turn, TurnKind
from mutx.governance.types import Caller, Decision, Facts, NormalizedAction
from mutx.kit.ids import new_id


class Draft(Struct, frozen=True, kw_only=True, gc=False):
    """A turn before it has a place in the chain."""

    kind: TurnKind
    action: NormalizedAction
    caller: Caller
    facts: Facts
    decision: Decision
    delta: ContextDelta
    requests: tuple[ApprovalRequest, ...] = ()
    """The request this turn answers first, then one it opens."""
    permit: PermitRecord | None = None
    outcome: Outcome | None = None
    about: str | None = None
    """Receipt id of the decision that a resolution or an outcome belongs to."""
    new_grants: tuple[Grant, ...] = ()


class Recorder:
    """Gives a draft its place, its receipt and its permanence."""

    def __init__(
        self,
        ledger: Ledger,
        receipts: ReceiptGenerator,
        accumulator: ContextAccumulator,
        telemetry: TelemetryExporter,
        told: Callable[[Turn], None],
    ) -> None:
        """`told` hears of each turn after it is on disk; it must neither block nor raise."""
        self._ledger = ledger
        self._receipts = receipts
        self._accumulator = accumulator
        self._telemetry = telemetry
        self._told = told

    async def record(self, state: SessionState, draft: Draft) -> Turn:
        """Seal, append, wait for the disk, tell. Synchronous up to the append, so nothing slips in between.

        Raises what `Ledger.append` raises; then nothing was recorded and nothing may run.
        """
        turn = self._turn(state, draft)
        events = self._telemetry.events(turn)
        turn = replace(turn, events=events) if events else turn
        self._accumulator.apply(state.context, draft.delta)
        await self._ledger.append(state, turn)
        self._told(turn)
        return turn

    def _turn(self, state: SessionState, draft: Draft) -> Turn:
        action, facts = draft.action, draft.facts
        receipt, sealed = self._receipts.seal(
            kind=draft.kind,
            id=new_id(),
            workspace_id=action.workspace_id,
            session_id=action.session_id,
            seq=state.seq + 1,
            prev=state.head,
            at=facts.now,
            caller=draft.caller,
            action=action,
            facts=facts,
            decision=draft.decision,
            request=draft.requests[0] if draft.requests else None,
            permit=draft.permit,
            outcome=draft.outcome,
            about=draft.about,
        )
        return Turn(
            kind=draft.kind,
            id=receipt.id,
            workspace_id=action.workspace_id,
            session_id=action.session_id,
            seq=state.seq + 1,
            prev=state.head,
            at=facts.now,
            action=action,
            caller=draft.caller,
            facts=facts,
            decision=draft.decision,
            delta=self._accumulator.encode_delta(draft.delta),
            receipt=receipt,
            sealed=sealed,
            outcome=draft.outcome,
            requests=draft.requests,
            permit=draft.permit,
            grant_id=draft.decision.grant_id,
            new_grants=draft.new_grants,
        )
