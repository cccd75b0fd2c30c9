"""Receipts as the wire shows them: what was signed, joined with the values that lie beside it."""

from typing import Any

import orjson

from mutx.contract.governance import OLDER_WORD
from mutx.contract.security import ReceiptView
from mutx.governance.turn import Turn, TurnKind
from mutx.governance.types import Effect
from mutx.kit.clock import rfc3339

AUTHORIZED = "authorized"
"""Allowed, and sealed before it ran."""


def receipt_view(turn: Turn) -> ReceiptView:
    action, decision, sealed = turn.action, turn.decision, turn.sealed
    envelope: dict[str, Any] = orjson.loads(turn.receipt.envelope)
    signature = envelope["signatures"][0]
    return ReceiptView(
        receipt_id=turn.receipt.id,
        action_id=action.id,
        action_hash=action.action_hash,
        session_id=turn.session_id,
        tool_name=action.tool_name,
        tool_args=sealed.args,
        agent_id=action.agent_id,
        user_id=action.user_id,
        policy_decision=OLDER_WORD[decision.effect],
        policy_rule_id=decision.rule.id if decision.rule else None,
        policy_rule_name=decision.rule.name if decision.rule else None,
        decision_reason=decision.reason,
        outcome=outcome_word(turn),
        outcome_detail=(sealed.error or "") if turn.outcome else decision.reason,
        timestamp=rfc3339(turn.at),
        duration_ms=turn.outcome.duration_ms if turn.outcome else None,
        signature=signature["sig"],
        signed_by=signature["keyid"],
        metadata=_metadata(turn),
        effect=decision.effect.value,
        kind=turn.kind.value,
        sequence=turn.seq,
        modified_args=sealed.modified_args,
        result=sealed.result,
        erased=_erased(turn),
        receipt_hash=turn.receipt.hash,
        envelope=envelope,
    )


def outcome_word(turn: Turn) -> str:
    """`executed`, `error`, `blocked`, `waiting` or `authorized`."""
    if turn.outcome is not None:
        return turn.outcome.status.value
    if turn.decision.effect is Effect.DENY:
        return "blocked"
    return "waiting" if turn.decision.effect.waits else AUTHORIZED


def _metadata(turn: Turn) -> dict[str, Any]:
    request = turn.requests[0] if turn.requests else None
    return {
        "reason_code": turn.decision.reason_code.value,
        "policy_version": turn.decision.policy_version,
        "door": turn.caller.door.value,
        "previous_receipt_hash": turn.prev,
        "context_hash": turn.facts.context_hash,
        "principal_id": turn.caller.principal_id,
        "approval_id": request.id if request else None,
        "approval_status": request.status.value if request else None,
    }


def _erased(turn: Turn) -> list[str]:
    """Which values the receipt commits to and nobody holds any more."""
    sealed, missing = turn.sealed, []
    if sealed.args_salt is None:
        missing.append("tool_args")
    if turn.decision.effect is Effect.MODIFY and sealed.modified_salt is None:
        missing.append("modified_args")
    if turn.kind is TurnKind.OUTCOME and sealed.result_salt is None:
        missing.append("result")
    return missing
