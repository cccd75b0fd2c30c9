"""What happens to sign-ins beside requests."""

from mutx.resources.auth.directory import person
from mutx.resources.workspaces.service import membership
from mutx.services.identity.authentication import Authentication
from mutx.storage.engine import Database
from mutx.web.news import tell_audit


async def record_failed_logins(database: Database, auth: Authentication) -> None:
    """Tell the owners' workspaces of passwords tried in vain. A worker calls it every few seconds, and at shutdown.

    Not the request itself: writing for accounts that exist, and for them only, would tell an attacker which do.
    """
    if not auth.failed_logins:
        return
    async with database.write() as session:
        while auth.failed_logins:
            user_id, at = auth.failed_logins.popleft()
            workspace = await membership(session, user_id, None)
            if workspace is not None:
                await tell_audit(session, person(user_id, workspace.workspace_id, ()), at, "LOGIN_FAILED")
