"""How an action stands, folded from its turns; and the actions this process heard of last."""

from collections import OrderedDict
from collections.abc import Iterable

from msgspec.structs import replace

from mutx.governance.turn import ActionState, ApprovalRequest, Turn, TurnKind

MAX_ACTIONS = 8192


def advance(known: ActionState | None, turn: Turn) -> ActionState:
    """The action after `turn`: its first decision, then resolutions, then the outcome."""
    if known is None or turn.kind is TurnKind.DECISION:
        return ActionState(
            action=turn.action,
            decision=turn.decision,
            caller=turn.caller,
            seq=turn.seq,
            receipt_id=turn.receipt.id,
            permit=turn.permit,
            request=_request(turn, None),
        )
    if turn.kind is TurnKind.RESOLUTION:
        return replace(
            known,
            decision=turn.decision,
            receipt_id=turn.receipt.id,
            permit=turn.permit or known.permit,
            request=_request(turn, known.request),
        )
    return replace(known, outcome=turn.outcome, outcome_receipt_id=turn.receipt.id)


def fold(turns: Iterable[Turn]) -> ActionState | None:
    """From an action's turns in order."""
    known: ActionState | None = None
    for turn in turns:
        known = advance(known, turn)
    return known


def _request(turn: Turn, before: ApprovalRequest | None) -> ApprovalRequest | None:
    mine = [request for request in turn.requests if request.action_id == turn.action.id]
    return mine[-1] if mine else before


class RecentActions:
    """A bounded memory of actions, kept in step with what was committed; whoever is not in it is read from the store."""

    def __init__(self, limit: int = MAX_ACTIONS) -> None:
        self._limit = limit
        self._known: OrderedDict[tuple[str, str], ActionState] = OrderedDict()

    def get(self, workspace_id: str, action_id: str) -> ActionState | None:
        return self._known.get((workspace_id, action_id))

    def put(self, state: ActionState) -> ActionState:
        at = (state.action.workspace_id, state.action.id)
        self._known[at] = state
        self._known.move_to_end(at)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return state

    def heard(self, turn: Turn) -> None:
        """A turn was committed."""
        known = self.get(turn.workspace_id, turn.action.id)
        if known is not None or turn.kind is TurnKind.DECISION:
            self.put(advance(known, turn))

    def asked(self, request: ApprovalRequest) -> None:
        """A request was changed without a turn."""
        known = self.get(request.workspace_id, request.action_id)
        if known is not None:
            self.put(replace(known, request=request))

    def redeemed(self, workspace_id: str, action_id: str, at: float) -> None:
        known = self.get(workspace_id, action_id)
        if known is not None:
            self.put(replace(known, redeemed_at=at))

    def forget(self, workspace_id: str, action_id: str) -> None:
        self._known.pop((workspace_id, action_id), None)
