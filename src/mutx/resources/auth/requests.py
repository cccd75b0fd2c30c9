"""Asking for a mail: a row, the same for an address that is somebody's and for one that is nobody's.

Whether there is an account is looked up by the worker that sends, so neither answer nor time tells the one who asks.
"""

import re
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.kit.clock import to_datetime
from mutx.kit.errors import InputError, Unavailable
from mutx.kit.ids import new_id
from mutx.resources.auth.models import MailRequestRow
from mutx.services.identity.authentication import AuthRules

MAIL_TOPIC = "mail"
"""Of the bus: a mail was asked for."""
COOL_SECONDS = 60.0
"""An address gets one mail of a kind in this time, however often it is asked for."""
KEPT_SECONDS = 3600.0
MOST = 10_000
"""Requests on record; more than that is no people asking."""


class Purpose(StrEnum):
    """What a mail is for."""

    VERIFY = "verify"
    RESET = "reset"
    CHANGED = "changed"
    """The password was changed; tells its owner, with no token."""
    INVITE = "invite"
    """To a workspace; also somebody who has no account."""


def link_origin(rules: AuthRules, wanted: str | None) -> str:
    """Where a mail's link leads. Raises InputError for a page that is not ours: it would get the token."""
    if wanted is None:
        return rules.origins[0]
    if wanted.rstrip("/") not in rules.origins:
        raise InputError("mails link to this server's own pages only; list others in CORS_ORIGINS")
    return wanted.rstrip("/")


def require_own_page(rules: AuthRules, page: str) -> None:
    """Raises InputError for a page that is not ours: somebody signed in, or a code for it, would be sent there."""
    scheme, _, rest = page.partition("://")
    if f"{scheme}://{re.split('[/?]', rest, maxsplit=1)[0]}" not in rules.origins:
        raise InputError("people are sent back to this server's own pages only; list others in CORS_ORIGINS")


async def ask_for_mail(session: AsyncSession, purpose: Purpose, email: str, origin: str, now: float) -> None:
    """Part of a unit of work. Raises Unavailable while too many wait."""
    moment = to_datetime(now)
    old = MailRequestRow.requested_at < moment - timedelta(seconds=KEPT_SECONDS)
    await session.execute(delete(MailRequestRow).where(old))
    if (await session.scalar(select(func.count()).select_from(MailRequestRow)) or 0) >= MOST:
        raise Unavailable("too many mails wait to be sent; try again in an hour")
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"origin": origin, "requested_at": moment, "due_at": moment, "attempts": 0}
    asked = insert(MailRequestRow).values(id=new_id(), email=email, purpose=purpose, **values)
    cool = MailRequestRow.requested_at <= moment - timedelta(seconds=COOL_SECONDS)
    await session.execute(
        asked.on_conflict_do_update(
            index_elements=["email", "purpose"], set_=values, where=cool & MailRequestRow.due_at.is_(None)
        )
    )
