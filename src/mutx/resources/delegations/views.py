"""Delegations as the wire shows them."""

from typing import Any

from mutx.contract.delegations import Delegation, IssuedDelegation
from mutx.resources.delegations.book import hop_of
from mutx.resources.delegations.models import DelegationRow


def delegation(row: DelegationRow) -> Delegation:
    return Delegation.model_validate(_fields(row))


def issued(row: DelegationRow, token: str) -> IssuedDelegation:
    more = {"token": token, "action_id": row.action_id, "receipt_id": row.receipt_id}
    return IssuedDelegation.model_validate(_fields(row) | more)


def _fields(row: DelegationRow) -> dict[str, Any]:
    hop = hop_of(row)
    return {
        "id": row.id,
        "delegator": row.delegator,
        "delegate": row.delegate,
        "parent_id": row.parent_id,
        "tools": [{"tool": grant.tool, "ceilings": grant.ceilings} for grant in hop.grants],
        "depth": hop.depth,
        "calls": hop.calls,
        "budget": None if hop.budget is None else {"argument": hop.budget.argument, "max": hop.budget.max},
        "issued_by": row.issued_by,
        "user_id": row.user_id,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    }
