"""Getting back in, and proving that an address is one's own: with tokens that were mailed and work once."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.auth import ForgotPassword, ResendVerification, ResetPassword, VerifyEmail
from mutx.kit.clock import to_datetime
from mutx.kit.errors import Conflict, InputError
from mutx.resources.auth.directory import person
from mutx.resources.auth.families import Families
from mutx.resources.auth.models import MailedTokenRow
from mutx.resources.auth.requests import MAIL_TOPIC, Purpose, ask_for_mail, link_origin
from mutx.resources.workspaces.models import UserRow
from mutx.resources.workspaces.service import membership
from mutx.web.news import tell_audit
from mutx.web.services import Services

STALE = "this link is unknown, expired or was used before; ask for a new one"


class Recovery:
    def __init__(self, app: Services) -> None:
        self._app = app
        self._auth = app.auth
        self._clock = app.clock

    async def forgot_password(self, wanted: ForgotPassword) -> None:
        """Ask for a reset mail. Raises Unavailable where this server sends none."""
        await self._ask(Purpose.RESET, wanted.email, wanted.email_link_origin)

    async def resend_verification(self, wanted: ResendVerification) -> None:
        """Ask for the verification mail again. Raises Unavailable where this server sends none."""
        await self._ask(Purpose.VERIFY, wanted.email, wanted.verification_origin)

    async def reset_password(self, wanted: ResetPassword) -> None:
        """A new password; every login ends, as whoever knew the old one may hold one. Raises InputError."""
        async with self._app.database.read() as session:
            user = await self._holder(session, Purpose.RESET, wanted.token)
        self._auth.passwords.check_strength(wanted.new_password, email=user.email)
        password_hash = await self._auth.passwords.hash(wanted.new_password)
        async with self._app.revocations.unit() as session:
            user = await self._take(session, Purpose.RESET, wanted.token)
            user.password_hash = password_hash
            user.is_email_verified = True  # only who reads that mail has the token
            await Families(session, self._auth, self._clock).revoke_all(user.id)
            await ask_for_mail(session, Purpose.CHANGED, user.email, "", self._clock.now())
            await self._tell(session, "PASSWORD_RESET", user)
            await self._app.revocations.revoke(session)
        self._app.bus.publish(MAIL_TOPIC, {})

    async def verify_email(self, wanted: VerifyEmail) -> None:
        """Raises InputError."""
        async with self._app.database.write() as session:
            user = await self._take(session, Purpose.VERIFY, wanted.token)
            user.is_email_verified = True
            await self._tell(session, "EMAIL_VERIFIED", user)

    async def _ask(self, purpose: Purpose, email: str, origin: str | None) -> None:
        if not self._auth.rules.mail:
            raise Conflict("this server sends no mail; ask its operator, who can set SMTP_HOST")
        leads_to = link_origin(self._auth.rules, origin)
        async with self._app.database.write() as session:
            await ask_for_mail(session, purpose, email, leads_to, self._clock.now())
        self._app.bus.publish(MAIL_TOPIC, {})

    async def _take(self, session: AsyncSession, purpose: Purpose, token: str) -> UserRow:
        """Use a token: no other of its purpose works afterwards. Raises InputError."""
        user = await self._holder(session, purpose, token)
        used = delete(MailedTokenRow).where(MailedTokenRow.digest == self._auth.secrets.digest(token))
        if (await session.execute(used.returning(MailedTokenRow.id))).first() is None:
            raise InputError(STALE)  # somebody used it at this same moment
        siblings = (MailedTokenRow.user_id == user.id, MailedTokenRow.purpose == purpose)
        await session.execute(delete(MailedTokenRow).where(*siblings))
        return user

    async def _holder(self, session: AsyncSession, purpose: Purpose, token: str) -> UserRow:
        digest = self._auth.secrets.digest(token)
        query = select(MailedTokenRow).where(MailedTokenRow.digest == digest, MailedTokenRow.purpose == purpose)
        row = await session.scalar(query)
        if row is None or row.expires_at <= to_datetime(self._clock.now()):
            raise InputError(STALE)
        user = await session.get_one(UserRow, row.user_id)
        if not user.is_active:
            raise InputError(STALE)
        return user

    async def _tell(self, session: AsyncSession, what: str, user: UserRow) -> None:
        await session.flush()
        member = await membership(session, user.id, None)
        if member is not None:
            await tell_audit(session, person(user.id, member.workspace_id, ()), self._clock.now(), what)
