"""What happens to sign-ins beside requests."""

from asyncio import CancelledError
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import MutxError
from mutx.resources.auth.directory import person
from mutx.resources.auth.models import LoginRow, MailedTokenRow
from mutx.resources.workspaces.service import membership
from mutx.services.identity.authentication import Authentication
from mutx.storage.engine import Database
from mutx.web.news import tell_audit

KEPT_DAYS = 7
"""An ended login's tokens are kept this long, so that a late second use still shows in the audit trail."""
BATCH = 5000


async def record_failed_logins(database: Database, auth: Authentication) -> None:
    """Tell the owners' workspaces of passwords tried in vain. A worker calls it at short intervals, and at shutdown.

    Not the request itself: writing for accounts that exist, and for them only, would tell an attacker which do.
    """
    waiting = [auth.failed_logins.popleft() for _ in range(len(auth.failed_logins))]
    if not waiting:
        return
    try:
        await _tell_of(database, waiting)
    except (MutxError, CancelledError):
        auth.failed_logins.extendleft(reversed(waiting))
        raise


async def _tell_of(database: Database, attempts: Sequence[tuple[str, float]]) -> None:
    async with database.write() as session:
        for user_id, at in attempts:
            workspace = await membership(session, user_id, None)
            if workspace is not None:
                await tell_audit(session, person(user_id, workspace.workspace_id, ()), at, "LOGIN_FAILED")


async def forget_ended_logins(database: Database, clock: Clock) -> None:
    """Remove logins that ended a while ago, with their tokens, and mailed tokens past their time; some at a time."""
    now = to_datetime(clock.now())
    async with database.write() as session:
        ended = select(LoginRow.id).where(LoginRow.ends_at < now - timedelta(days=KEPT_DAYS)).limit(BATCH)
        await session.execute(delete(LoginRow).where(LoginRow.id.in_(ended)))
        await session.execute(delete(MailedTokenRow).where(MailedTokenRow.expires_at < now))
