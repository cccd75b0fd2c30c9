"""The values that lie beside a receipt: which commitment each one opens, and how both look together."""

from collections.abc import Mapping
from typing import Any

import msgspec

from mutx.governance.commitments import (
    ACTION_HASH,
    ARGS,
    ERROR,
    MODIFIED,
    PERMIT_ARGS,
    RESULT,
    CommitmentOpening,
    critical_slot,
    opens,
)
from mutx.governance.receipt_body import ReceiptBody
from mutx.governance.turn import Sealed
from mutx.kit.canonical import digest


def commitments_of(body: ReceiptBody) -> dict[str, str]:
    """Every commitment in a receipt, by slot."""
    found = {ACTION_HASH: body.action.hash, ARGS: body.action.args}
    found |= {critical_slot(index): part.value for index, part in enumerate(body.decision.critical)}
    optional = {
        MODIFIED: body.decision.modified,
        PERMIT_ARGS: body.permit.args_hash if body.permit is not None else None,
        RESULT: body.outcome.result if body.outcome is not None else None,
        ERROR: body.outcome.error if body.outcome is not None else None,
    }
    return found | {slot: commitment for slot, commitment in optional.items() if commitment is not None}


def openings_of(sealed: Sealed) -> dict[str, CommitmentOpening]:
    """What is left of a turn's values, by slot."""
    found: dict[str, CommitmentOpening] = {}
    if sealed.args_salt is not None and sealed.args is not None:
        executed = sealed.args if sealed.modified_salt is None else sealed.modified_args
        permitted = digest(executed) if executed is not None else None
        values: dict[str, Any] = {ARGS: sealed.args, ACTION_HASH: sealed.action_hash, PERMIT_ARGS: permitted}
        values |= {critical_slot(index): value for index, value in enumerate(sealed.critical)}
        found |= {
            slot: CommitmentOpening(sealed.args_salt, value) for slot, value in values.items() if value is not None
        }
    if sealed.modified_salt is not None and sealed.modified_args is not None:
        found[MODIFIED] = CommitmentOpening(sealed.modified_salt, sealed.modified_args)
    if sealed.result_salt is not None:
        values = {RESULT: sealed.result, ERROR: sealed.error}
        found |= {
            slot: CommitmentOpening(sealed.result_salt, value) for slot, value in values.items() if value is not None
        }
    return found


def view(body: Mapping[str, Any], sealed: Sealed | None) -> dict[str, Any]:
    """A receipt's body with its values joined in, for display.

    Each commitment becomes `{commitment, value}`, or `{commitment, erased: true}` where the value is gone, or
    `{commitment, altered: true}` where what lies beside the receipt is not what was committed to.
    """
    openings = openings_of(sealed) if sealed is not None else {}
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    for slot, commitment in commitments_of(msgspec.convert(body, ReceiptBody)).items():
        section, name, *index = slot.split(".")
        if index:
            shown[section][name][int(index[0])]["value"] = _joined(slot, commitment, openings.get(slot))
        else:
            shown[section][name] = _joined(slot, commitment, openings.get(slot))
    return shown


def _joined(slot: str, commitment: str, opening: CommitmentOpening | None) -> dict[str, Any]:
    if opening is None:
        return {"commitment": commitment, "erased": True}
    if not opens(slot, commitment, opening):
        return {"commitment": commitment, "altered": True}
    return {"commitment": commitment, "value": opening.value}
