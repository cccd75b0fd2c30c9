"""Signing in and out: accounts, logins, rotation of refresh tokens."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.auth import Login, Refresh, Registration
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict, NotFound, PermissionDenied, Unauthenticated
from mutx.resources.auth.directory import person
from mutx.resources.auth.models import LoginRow, RefreshTokenRow
from mutx.resources.workspaces.models import UserRow
from mutx.resources.workspaces.service import create_personal, membership
from mutx.services.identity.authentication import Authentication
from mutx.services.identity.passwords import check_strength
from mutx.services.identity.secrets import SecretKind, mint
from mutx.storage.engine import Database
from mutx.web.news import tell_audit

LOCAL_OPERATOR = "local-operator@mutx.local"
WRONG = "wrong e-mail address or password"
ENDED = "this refresh token is unknown, expired or was used before; sign in again"


class SignedIn(Struct, frozen=True):
    """A fresh pair of tokens."""

    access_token: str
    refresh_token: str
    expires_in: int


class Logins:
    """Takes the database itself: passwords are hashed between a read and a write, never inside one."""

    def __init__(self, database: Database, auth: Authentication, clock: Clock) -> None:
        self._database = database
        self._auth = auth
        self._clock = clock

    async def register(self, wanted: Registration) -> SignedIn:
        if not self._auth.rules.registration or self._auth.rules.verified_email:
            raise PermissionDenied("nobody can register by themselves here; ask an administrator for an account")
        check_strength(wanted.password, email=wanted.email)
        password_hash = await self._auth.passwords.hash(wanted.password)
        async with self._database.write() as session:
            if await _user(session, wanted.email) is not None:
                raise Conflict("there is an account for this e-mail address; sign in instead")
            user = await self._create(session, wanted.email, wanted.name, password_hash)
            return await self._begin(session, user, None)

    async def login(self, wanted: Login) -> SignedIn:
        """Raises Unauthenticated, alike and after alike work for a wrong password and an unknown address."""
        async with self._database.read() as session:
            user = await _user(session, wanted.email)
        stored = user.password_hash if user is not None and user.is_active else None
        matches, stronger = await self._auth.passwords.verify(wanted.password, stored)
        if user is None or not matches:
            if user is not None:
                self._auth.failed_logins.append((user.id, self._clock.now()))
            raise Unauthenticated(WRONG)
        if self._auth.rules.verified_email and not user.is_email_verified:
            raise PermissionDenied("verify your e-mail address first; the link is in the message we sent")
        async with self._database.write() as session:
            if stronger is not None:
                user = await session.get_one(UserRow, user.id)
                user.password_hash = stronger
            return await self._begin(session, user, wanted.workspace_id)

    async def bootstrap(self, name: str) -> SignedIn:
        """Sign in as the local operator, who is created on first use. The route has checked where the caller is."""
        async with self._database.write() as session:
            user = await _user(session, LOCAL_OPERATOR) or await self._create(session, LOCAL_OPERATOR, name, None)
            return await self._begin(session, user, None)

    async def refresh(self, wanted: Refresh) -> SignedIn:
        """Exchange a token for its successor. One that was used before has leaked: its login ends, for both holders."""
        async with self._database.write() as session:
            token = await self._token(session, wanted.refresh_token)
            if token is not None and token.used_at is None:
                return await self._rotate(session, token, wanted.workspace_id)
            if token is not None:
                login = await self._revoke(session, token.login_id)
                await self._tell(session, "LOGIN_TOKEN_REUSED", login.user_id, token.workspace_id)
        self._auth.callers.revoke()
        raise Unauthenticated(ENDED)

    async def logout(self, caller: Caller, *, family_id: str | None, refresh_token: str | None) -> None:
        """End the login of a refresh token of the caller's, else `family_id`."""
        async with self._database.write() as session:
            if refresh_token is not None:
                token = await self._token(session, refresh_token)
                family_id = token.login_id if token is not None else None
            login = await session.get(LoginRow, family_id) if family_id is not None else None
            if login is None or login.user_id != caller.user_id:
                raise NotFound("there is no such login of yours; it may have ended already")
            await self._revoke(session, login.id)
            await self._tell(session, "LOGOUT", caller.user_id, caller.workspace_id)
        self._auth.callers.revoke()

    async def _create(self, session: AsyncSession, email: str, name: str, password_hash: str | None) -> UserRow:
        user = UserRow(email=email, name=name, password_hash=password_hash, created_at=self._now())
        session.add(user)
        await session.flush()
        await create_personal(session, user)
        return user

    async def _begin(self, session: AsyncSession, user: UserRow, workspace_id: UUID | None) -> SignedIn:
        now = self._now()
        ends_at = now + timedelta(seconds=self._auth.rules.login_lifetime)
        login = LoginRow(user_id=user.id, created_at=now, ends_at=ends_at)
        session.add(login)
        await session.flush()
        workspace = await self._workspace(session, user.id, workspace_id)
        await self._tell(session, "LOGIN", user.id, workspace)
        return await self._issue(session, login, workspace)

    async def _rotate(self, session: AsyncSession, token: RefreshTokenRow, workspace_id: UUID | None) -> SignedIn:
        now, login = self._now(), await session.get_one(LoginRow, token.login_id)
        user = await session.get_one(UserRow, login.user_id)
        if login.revoked_at is not None or min(token.expires_at, login.ends_at) <= now or not user.is_active:
            raise Unauthenticated(ENDED)
        wanted = workspace_id or UUID(token.workspace_id)
        issued = await self._issue(session, login, await self._workspace(session, user.id, wanted), replaces=token)
        token.used_at = now
        return issued

    async def _issue(
        self, session: AsyncSession, login: LoginRow, workspace_id: str, *, replaces: RefreshTokenRow | None = None
    ) -> SignedIn:
        now, secret = self._now(), mint(SecretKind.REFRESH)
        expires_at = min(now + timedelta(seconds=self._auth.rules.refresh_lifetime), login.ends_at)
        row = RefreshTokenRow(
            login_id=login.id,
            digest=self._auth.secrets.digest(secret),
            workspace_id=workspace_id,
            created_at=now,
            expires_at=expires_at,
        )
        session.add(row)
        await session.flush()
        if replaces is not None:
            replaces.replaced_by = row.id
        tokens = self._auth.tokens
        access = tokens.issue(user_id=login.user_id, workspace_id=workspace_id, family_id=login.id)
        return SignedIn(access, secret, int(tokens.lifetime))

    async def _workspace(self, session: AsyncSession, user_id: str, wanted: UUID | None) -> str:
        found = await membership(session, user_id, None if wanted is None else str(wanted))
        if found is None:
            raise NotFound(f"you are no member of a workspace {wanted or ''}".rstrip())
        return found.workspace_id

    async def _token(self, session: AsyncSession, secret: str) -> RefreshTokenRow | None:
        digest = self._auth.secrets.digest(secret)
        return await session.scalar(select(RefreshTokenRow).where(RefreshTokenRow.digest == digest))

    async def _revoke(self, session: AsyncSession, login_id: str) -> LoginRow:
        login = await session.get_one(LoginRow, login_id)
        login.revoked_at = login.revoked_at or self._now()
        return login

    async def _tell(self, session: AsyncSession, what: str, user_id: str, workspace_id: str) -> None:
        who = person(user_id, workspace_id, ())
        await tell_audit(session, who, self._clock.now(), what)

    def _now(self) -> datetime:
        return to_datetime(self._clock.now())


async def _user(session: AsyncSession, email: str) -> UserRow | None:
    return await session.scalar(select(UserRow).where(UserRow.email == email))
