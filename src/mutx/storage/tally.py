"""What a session counts of its turns, and when a request is next due: the same for every ledger."""

from typing import NamedTuple

from mutx.governance.turn import ApprovalRequest, OutcomeStatus, RequestStatus, Turn, TurnKind
from mutx.governance.types import Charge, Effect, IntentSignal

DRIFTING = (IntentSignal.DRIFT_SUSPECTED, IntentSignal.DRIFT_CONFIRMED)


class Tally(NamedTuple):
    permits: int = 0
    denials: int = 0
    defers: int = 0
    errors: int = 0
    drifts: int = 0


NONE = Tally()


def tally(turn: Turn) -> Tally:
    """First decisions by effect, failed outcomes, and decisions taken while the session drifted."""
    if turn.kind is TurnKind.RESOLUTION or turn.facts.noted is not None:
        return NONE
    if turn.kind is TurnKind.OUTCOME:
        return Tally(errors=int(turn.outcome is not None and turn.outcome.status is OutcomeStatus.ERROR))
    effect = turn.decision.effect
    return Tally(
        permits=int(effect.runs),
        denials=int(effect is Effect.DENY),
        defers=int(effect.waits),
        drifts=int(turn.decision.intent in DRIFTING),
    )


def charges_of(turn: Turn) -> tuple[Charge, ...]:
    """What a turn takes from limits: an outcome repeats its decision and costs nothing again."""
    return () if turn.kind is TurnKind.OUTCOME else turn.decision.charges


def grant_of(turn: Turn) -> str | None:
    """The grant whose use a turn spends."""
    return None if turn.kind is TurnKind.OUTCOME else turn.grant_id


def ends_closed(turn: Turn) -> bool:
    """Whether a closed session may take this turn: it decides nothing new, but says so, and outcomes still count."""
    return turn.facts.closed or turn.kind is not TurnKind.DECISION


def due_at(request: ApprovalRequest) -> float | None:
    """When a request next needs attention; None once it is answered."""
    if request.status is not RequestStatus.PENDING:
        return None
    return request.expires_at if request.escalates_at is None else min(request.expires_at, request.escalates_at)
