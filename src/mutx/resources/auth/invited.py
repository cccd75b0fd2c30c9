"""Mails to people who were invited to a workspace.

An invitation that is to be mailed says so itself, in the unit of work that makes it. Here it becomes a request like any
other, so that an address gets one such mail a minute, whoever invites it and however often.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.kit.clock import to_datetime
from mutx.kit.ids import new_token
from mutx.resources.auth.models import MailRequestRow
from mutx.resources.auth.requests import COOL_SECONDS, Purpose, ask_for_mail
from mutx.resources.workspaces.invitations import PREFIX
from mutx.resources.workspaces.models import InvitationRow
from mutx.services.identity.secrets import SecretHasher
from mutx.storage.engine import Database

BATCH = 100
"""Addresses asked for at a time."""
MOST_IN_A_MAIL = 20
"""Invitations of one address; the others follow a minute later."""

Minted = Sequence[tuple[InvitationRow, str]]
"""Invitations, and the token of each."""


async def ask_for_invitations(database: Database, origin: str, now: float) -> None:
    """Ask for the mails that wait, but for addresses that have just got one. Raises Unavailable."""
    moment = to_datetime(now)
    recent = MailRequestRow.requested_at > moment - timedelta(seconds=COOL_SECONDS)
    busy = select(MailRequestRow.id).where(
        MailRequestRow.email == InvitationRow.email,
        MailRequestRow.purpose == Purpose.INVITE,
        or_(MailRequestRow.due_at.is_not(None), recent),
    )
    waiting = select(InvitationRow.email).where(*_wanted(moment), ~busy.exists()).distinct().limit(BATCH)
    async with database.read() as session:
        addresses = (await session.scalars(waiting)).all()
    if not addresses:
        return
    async with database.write() as session:
        for email in addresses:
            await ask_for_mail(session, Purpose.INVITE, email, origin, now)


async def minted(session: AsyncSession, secrets: SecretHasher, email: str, now: float) -> Minted:
    """Fresh tokens for what this address is invited to; one that a failed try made works no more."""
    mine = select(InvitationRow).where(*_wanted(to_datetime(now)), InvitationRow.email == email)
    rows = await session.scalars(mine.order_by(InvitationRow.created_at, InvitationRow.id).limit(MOST_IN_A_MAIL))
    made = [(row, PREFIX + new_token(32)) for row in rows]
    for row, token in made:
        row.mail_digest = secrets.digest(token)
    return made


async def were_sent(session: AsyncSession, invitation_ids: Sequence[str]) -> None:
    await session.execute(update(InvitationRow).where(InvitationRow.id.in_(invitation_ids)).values(mail_wanted_at=None))


def wording(origin: str, invitations: Minted) -> tuple[str, str]:
    """Subject and text; no name, for anybody may give a workspace any and invite a stranger to it."""
    lines = [f"You are invited to work in a workspace of {origin}. Sign in there with this address."]
    for row, token in invitations:
        lines += [
            "",
            f"To join as {row.role}, until {row.expires_at:%Y-%m-%d}, open",
            f"    {origin}/accept-invitation#token={token}",
            "or run `mutx workspaces accept-invitation` and enter",
            f"    {token}",
        ]
    lines += ["", "It works once, for you alone. If you do not know who invites you, do nothing."]
    return "You are invited to a workspace", "\n".join(lines) + "\n"


def _wanted(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return (InvitationRow.mail_wanted_at <= moment, InvitationRow.expires_at > moment)
