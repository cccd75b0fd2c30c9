"""Who a caller is, as a person."""

from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.types import Caller
from mutx.kit.errors import NotFound
from mutx.resources.workspaces.models import UserRow


async def account(session: AsyncSession, caller: Caller) -> UserRow:
    """The account behind a person's token or key."""
    user = await session.get(UserRow, caller.user_id)
    if user is None:
        raise NotFound("this account no longer exists")
    return user
