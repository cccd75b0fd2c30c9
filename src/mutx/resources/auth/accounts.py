"""Who a caller is, as a person."""

from sqlalchemy import select
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


async def user_of(session: AsyncSession, email: str) -> UserRow | None:
    """The account of an address, which is in lower case."""
    return await session.scalar(select(UserRow).where(UserRow.email == email))
