"""Who is told that a question waits."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.turn import Event
from mutx.resources.workspaces.models import MembershipRow, UserRow

NO_MAIL = "sso.invalid"
"""The domain of whoever signed in without an address that is known to be theirs (RFC 2606)."""


async def approver_addresses(session: AsyncSession, event: Event) -> Sequence[str]:
    """Mail addresses of the active members who may answer an `aarm.approval` event.

    Named reviewers alone where the policy names some; else the asking roles; after escalation the escalation roles too.
    """
    asked = event.payload
    named, escalated = asked["users"], asked["event"] == "escalated"
    roles = asked["escalate_to"] if escalated else []
    if not named:
        roles = [*asked["roles"], *roles]
    query = (
        select(UserRow.email)
        .join(MembershipRow, MembershipRow.user_id == UserRow.id)
        .where(MembershipRow.workspace_id == event.workspace_id, UserRow.is_active)
        .where(UserRow.email.not_like(f"%@{NO_MAIL}"))
        .where(or_(MembershipRow.role.in_(roles), UserRow.email.in_(named), UserRow.id.in_(named)))
        .order_by(UserRow.email)
    )
    return (await session.scalars(query)).all()
