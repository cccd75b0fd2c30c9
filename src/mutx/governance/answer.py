"""What the pipeline tells a door."""

from typing import Any

from msgspec import Struct

from mutx.governance.turn import ApprovalRequest, OutcomeStatus
from mutx.governance.types import Decision, Effect


class Answer(Struct, frozen=True, kw_only=True, gc=False):
    """The decision on an action, ready to be put on a wire."""

    action_id: str
    action_hash: str
    session_id: str
    seq: int
    tool_name: str
    effect: Effect
    decision: Decision
    receipt_id: str
    permit: str | None = None
    """Present only while it can still be redeemed."""
    permit_expires_at: float | None = None
    modified_args: dict[str, Any] | None = None
    request: ApprovalRequest | None = None
    outcome: OutcomeStatus | None = None
    outcome_receipt_id: str | None = None
    replayed: bool = False
    """This is the answer to an earlier call with the same action id."""


class Conclusion(Struct, frozen=True, kw_only=True, gc=False):
    action_id: str
    receipt_id: str
    status: OutcomeStatus
    replayed: bool = False


class Redemption(Struct, frozen=True, kw_only=True, gc=False):
    action_id: str
    args_hash: str
    redeemed_at: float


class GrantSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`approve and remember`: a standing grant made with the approval."""

    ttl_seconds: float = 3600.0
    uses: int = 10
