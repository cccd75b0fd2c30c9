"""Signing in and out: accounts, logins, rotation of refresh tokens."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.auth import Login, Registration
from mutx.governance.types import Caller
from mutx.kit.clock import to_datetime
from mutx.kit.errors import Conflict, NotFound, PermissionDenied, Unauthenticated
from mutx.resources.auth.accounts import user_of
from mutx.resources.auth.directory import person
from mutx.resources.auth.families import ENDED, Families, SignedIn
from mutx.resources.auth.models import LoginRow, MailedTokenRow
from mutx.resources.auth.requests import MAIL_TOPIC, Purpose, ask_for_mail, link_origin
from mutx.resources.workspaces.models import UserRow
from mutx.resources.workspaces.service import create_personal
from mutx.web.news import tell_audit
from mutx.web.services import Services

LOCAL_OPERATOR = "local-operator@mutx.local"
WRONG = "wrong e-mail address or password"
NOT_YET = SignedIn("", "", 0)
"""What an account gets whose address must be verified first."""


class Logins:
    """Takes the whole plane: passwords are hashed between a read and a write, never inside one."""

    def __init__(self, app: Services) -> None:
        self._app = app
        self._auth = app.auth
        self._clock = app.clock

    async def register(self, wanted: Registration) -> SignedIn:
        """Raises Conflict for an address that has an account. Where addresses must be verified, the mail tells instead:
        only who can read it learns that there is one."""
        rules = self._auth.rules
        if not rules.registration:
            raise PermissionDenied("nobody can register by themselves here; ask an administrator for an account")
        self._auth.passwords.check_strength(wanted.password, email=wanted.email)
        origin = link_origin(rules, wanted.verification_origin)
        password_hash = await self._auth.passwords.hash(wanted.password)
        async with self._app.database.write() as session:
            known = await user_of(session, wanted.email)
            if known is not None and not rules.verified_email:
                raise Conflict("there is an account for this e-mail address; sign in instead")
            user = known or await self._create(session, wanted.email, wanted.name, password_hash)
            if not user.is_email_verified:
                await self._take_over(session, user, wanted.name, password_hash)
            if rules.mail:
                await ask_for_mail(session, Purpose.VERIFY, wanted.email, origin, self._clock.now())
            signed_in = NOT_YET if rules.verified_email else await self._begin(session, user, None)
        self._app.bus.publish(MAIL_TOPIC, {})
        return signed_in

    async def login(self, wanted: Login) -> SignedIn:
        """Raises Unauthenticated, alike and after alike work for a wrong password and an unknown address."""
        async with self._app.database.read() as session:
            user = await user_of(session, wanted.email)
        stored = user.password_hash if user is not None and user.is_active else None
        matches, stronger = await self._auth.passwords.verify(wanted.password, stored)
        if user is None or not matches:
            if user is not None:
                self._auth.failed_logins.append((user.id, self._clock.now()))
            raise Unauthenticated(WRONG)
        async with self._app.database.write() as session:
            user = await session.get(UserRow, user.id, with_for_update=True)
            if user is None or not user.is_active or user.password_hash != stored:
                raise Unauthenticated(WRONG)  # it was changed while we looked: the old password opens nothing any more
            if not Families(session, self._auth, self._clock).admits(user):
                raise PermissionDenied("verify your e-mail address first; the link is in the message we sent")
            user.password_hash = stronger or stored
            return await self._begin(session, user, wanted.workspace_id)

    async def bootstrap(self, name: str) -> SignedIn:
        """Sign in as the local operator, who is created on first use. The route has checked where the caller is."""
        async with self._app.database.write() as session:
            user = await user_of(session, LOCAL_OPERATOR) or await self._create(session, LOCAL_OPERATOR, name, None)
            user.is_email_verified = True  # nobody reads this address: being on the machine is the proof
            return await self._begin(session, user, None)

    async def vouched(self, user_id: str, workspace_id: str) -> SignedIn:
        """A login of somebody whom an identity provider has just vouched for."""
        async with self._app.database.write() as session:
            user = await session.get_one(UserRow, user_id)
            return await self._begin(session, user, UUID(workspace_id))

    async def refresh(self, refresh_token: str, workspace_id: UUID | None) -> SignedIn:
        """Exchange a token for its successor. One that was used before has leaked: its login ends, for both holders."""
        async with self._app.revocations.unit() as session:
            families = Families(session, self._auth, self._clock)
            token = await families.find(refresh_token)
            if token is None:
                raise Unauthenticated(ENDED)
            if token.used_at is None and (signed_in := await families.rotate(token, workspace_id)) is not None:
                return signed_in
            login = await families.revoke(token.login_id)
            await self._tell(session, "LOGIN_TOKEN_REUSED", login.user_id, token.workspace_id)
            await self._app.revocations.revoke(session)
        raise Unauthenticated(ENDED)

    async def logout(self, caller: Caller, *, family_id: str | None, refresh_token: str | None) -> None:
        """End the login of a refresh token of the caller's, else `family_id`."""
        async with self._app.revocations.unit() as session:
            families = Families(session, self._auth, self._clock)
            if refresh_token is not None:
                token = await families.find(refresh_token)
                family_id = token.login_id if token is not None else None
            login = await session.get(LoginRow, family_id) if family_id is not None else None
            if login is None or login.user_id != caller.user_id:
                raise NotFound("there is no such login of yours; it may have ended already")
            await families.revoke(login.id)
            await self._tell(session, "LOGOUT", caller.user_id, caller.workspace_id)
            await self._app.revocations.revoke(session)

    async def _take_over(self, session: AsyncSession, user: UserRow, name: str, password_hash: str) -> None:
        """Of several who claim an address that nobody proved theirs, only the last one's password may be proved."""
        user.name, user.password_hash = name, password_hash
        await session.execute(delete(MailedTokenRow).where(MailedTokenRow.user_id == user.id))

    async def _create(self, session: AsyncSession, email: str, name: str, password_hash: str | None) -> UserRow:
        now = to_datetime(self._clock.now())
        user = UserRow(email=email, name=name, password_hash=password_hash, created_at=now)
        session.add(user)
        await session.flush()
        await create_personal(session, user)
        return user

    async def _begin(self, session: AsyncSession, user: UserRow, workspace_id: UUID | None) -> SignedIn:
        signed_in = await Families(session, self._auth, self._clock).begin(user, workspace_id)
        await self._tell(session, "LOGIN", user.id, signed_in.workspace_id)
        return signed_in

    async def _tell(self, session: AsyncSession, what: str, user_id: str, workspace_id: str) -> None:
        await tell_audit(session, person(user_id, workspace_id, ()), self._clock.now(), what)
