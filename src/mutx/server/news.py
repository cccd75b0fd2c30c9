"""Wake-ups: who waits for what hears that something changed. What changed is always read from the ledger."""

from collections.abc import Callable
from functools import partial

from mutx.governance.turn import ApprovalRequest, Turn, TurnKind
from mutx.services.evalview.watch import AgentWatch
from mutx.storage.coordination import Bus


def tell(bus: Bus, turn: Turn) -> None:
    """Publish a recorded turn: to `mutx tail`, to who waits for its action, to approvers."""
    workspace = turn.workspace_id
    bus.publish(f"decisions:{workspace}", {"receipt_id": turn.receipt.id, "kind": turn.kind.value})
    if turn.kind is not TurnKind.DECISION:
        bus.publish(f"action:{workspace}:{turn.action.id}", {"receipt_id": turn.receipt.id})
    for request in turn.requests:
        tell_request(bus, request)


def listener(bus: Bus, watch: AgentWatch | None) -> Callable[[Turn], None]:
    """Who hears of each recorded turn: whoever waits for it and, where there is one, the watch over agents."""
    if watch is None:
        return partial(tell, bus)

    def told(turn: Turn) -> None:
        watch.heard(turn)
        tell(bus, turn)

    return told


def tell_request(bus: Bus, request: ApprovalRequest) -> None:
    """Publish a request that opened or moved."""
    news = {"request_id": request.id, "status": request.status.value}
    bus.publish(f"approvals:{request.workspace_id}", news)
    bus.publish(f"request:{request.workspace_id}:{request.id}", news)
