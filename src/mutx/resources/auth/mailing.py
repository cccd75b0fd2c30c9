"""Sending the mails that were asked for. The token is made here, at the last moment: it is on disk only as a hash."""

from contextlib import suppress
from datetime import timedelta

from msgspec import Struct
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Unavailable
from mutx.resources.auth.accounts import user_of
from mutx.resources.auth.invited import ask_for_invitations, minted, were_sent, wording
from mutx.resources.auth.models import MailedTokenRow, MailRequestRow
from mutx.resources.auth.requests import MAIL_TOPIC, Purpose
from mutx.resources.workspaces.models import UserRow
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.secrets import SecretKind, mint
from mutx.services.mail import Mailer
from mutx.storage.coordination import Bus
from mutx.storage.engine import Database

FIRST_RETRY = 15.0
LAST_RETRY = 900.0
MOST_ATTEMPTS = 12
"""Then the mail is given up; whoever waits for it asks again."""
REST_SECONDS = 1.0

KINDS = {Purpose.VERIFY: SecretKind.VERIFY, Purpose.RESET: SecretKind.RESET}


class Letter(Struct, frozen=True):
    """One mail, ready to go."""

    to: str
    subject: str
    text: str
    invitations: tuple[str, ...] = ()
    """Ids of those it tells of."""


class MailRoom:
    """A worker: any number of replicas may run it; a request is claimed by one at a time."""

    def __init__(self, database: Database, auth: Authentication, mailer: Mailer, bus: Bus, clock: Clock) -> None:
        self._database = database
        self._auth = auth
        self._mailer = mailer
        self._bus = bus
        self._clock = clock

    async def follow(self) -> None:
        """Send what is due, then rest until more may be."""
        async with self._bus.subscribe(MAIL_TOPIC) as news:
            with suppress(Unavailable):  # the store is away: what is due stays due
                await self.deliver()
            await news.get(REST_SECONDS)

    async def deliver(self) -> None:
        """Send everything that is due. What the mail server does not take stays due, later and later."""
        with suppress(Unavailable):  # invitations stay where they are until the store answers
            await ask_for_invitations(self._database, self._auth.rules.origins[0], self._clock.now())
        while (request := await self._claim()) is not None:
            letter = await self._write(request)
            if letter is not None:
                try:
                    # a request that is made anew keeps its id; a mailbox may drop what has the id of an older mail
                    message_id = f"{request.id}.{request.requested_at:%Y%m%d%H%M%S}.{request.attempts}"
                    await self._mailer.send([letter.to], letter.subject, letter.text, message_id=message_id)
                except Unavailable:
                    continue
            await self._done(request, letter)

    async def _claim(self) -> MailRequestRow | None:
        """The next one due, which is ours until its next try is."""
        now = self._clock.now()
        moment = to_datetime(now)
        async with self._database.write() as session:
            due = select(MailRequestRow).where(MailRequestRow.due_at <= moment).order_by(MailRequestRow.due_at).limit(1)
            row = (await session.scalars(due.with_for_update(skip_locked=True))).first()
            if row is None:
                return None
            wait = min(FIRST_RETRY * 2**row.attempts, LAST_RETRY)
            row.attempts += 1
            row.due_at = moment + timedelta(seconds=wait) if row.attempts < MOST_ATTEMPTS else None
        return row

    async def _done(self, request: MailRequestRow, letter: Letter | None) -> None:
        """No further try; a request that was made anew meanwhile stands."""
        same = (MailRequestRow.id == request.id, MailRequestRow.requested_at == request.requested_at)
        async with self._database.write() as session:
            await session.execute(update(MailRequestRow).where(*same).values(due_at=None))
            if letter is not None and letter.invitations:
                await were_sent(session, letter.invitations)

    async def _write(self, request: MailRequestRow) -> Letter | None:
        """The mail; None where nobody is to get one."""
        purpose = Purpose(request.purpose)
        if purpose is Purpose.INVITE:
            return await self._invitation(request)
        async with self._database.write() as session:
            user = await user_of(session, request.email)
            if user is None or not _wants(user, purpose):
                return None
            token = await self._token(session, user, purpose) if purpose in KINDS else ""
        subject, text = _wording(purpose, request.origin, token)
        return Letter(user.email, subject, text)

    async def _invitation(self, request: MailRequestRow) -> Letter | None:
        """To whoever has that address: it needs no account yet. None where every invitation was taken back."""
        async with self._database.write() as session:
            made = await minted(session, self._auth.secrets, request.email, self._clock.now())
        if not made:
            return None
        subject, text = wording(request.origin, made)
        return Letter(request.email, subject, text, tuple(row.id for row, _ in made))

    async def _token(self, session: AsyncSession, user: UserRow, purpose: Purpose) -> str:
        """A fresh one; those mailed before work no more."""
        rules, token, now = self._auth.rules, mint(KINDS[purpose]), to_datetime(self._clock.now())
        seconds = rules.reset_lifetime if purpose is Purpose.RESET else rules.verification_lifetime
        older = (MailedTokenRow.user_id == user.id, MailedTokenRow.purpose == purpose)
        await session.execute(delete(MailedTokenRow).where(*older))
        digest, ends = self._auth.secrets.digest(token), now + timedelta(seconds=seconds)
        session.add(MailedTokenRow(user_id=user.id, purpose=purpose, digest=digest, created_at=now, expires_at=ends))
        return token


def _wants(user: UserRow, purpose: Purpose) -> bool:
    """An account that signs in otherwise has no password to forget, and a verified address needs no proof."""
    if purpose is Purpose.VERIFY:
        return user.is_active and not user.is_email_verified
    return user.is_active and user.password_hash is not None


def _wording(purpose: Purpose, origin: str, token: str) -> tuple[str, str]:
    """Subject and text. The token stands behind a #, which no browser sends to a server or names as a referrer; nothing
    that a stranger typed is in the text."""
    if purpose is Purpose.CHANGED:
        text = "The password of your account was changed, and every login has ended.\n\nIf that was not you, ask for a "
        return "Your password was changed", text + "new one now (mutx auth forgot-password) and tell your operator.\n"
    page, command = ("reset-password", "reset-password") if purpose is Purpose.RESET else ("verify-email",) * 2
    aim = "set a new password" if purpose is Purpose.RESET else "verify your e-mail address"
    lines = [
        f"To {aim}, open",
        f"    {origin}/{page}#token={token}",
        f"or run `mutx auth {command}` and enter",
        f"    {token}",
        "",
        "It works once. If you did not ask for this, do nothing.",
    ]
    return aim[0].upper() + aim[1:], "\n".join(lines) + "\n"
