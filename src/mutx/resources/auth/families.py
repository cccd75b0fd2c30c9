"""Families of refresh tokens: one login, whose tokens replace one another until it ends."""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import NotFound, Unauthenticated
from mutx.kit.ids import new_id
from mutx.resources.auth.models import LoginRow, RefreshTokenRow
from mutx.resources.workspaces.models import UserRow
from mutx.resources.workspaces.service import membership
from mutx.services.identity.authentication import Authentication

ENDED = "this refresh token is unknown, expired or was used before; sign in again"


class SignedIn(Struct, frozen=True):
    """A fresh pair of tokens. Both are empty for an account whose address must be verified first."""

    access_token: str
    refresh_token: str
    expires_in: int
    workspace_id: str = ""

    def __repr__(self) -> str:
        return "SignedIn(***)"


class Families:
    """Within one unit of work."""

    def __init__(self, session: AsyncSession, auth: Authentication, clock: Clock) -> None:
        self._session = session
        self._auth = auth
        self._now = to_datetime(clock.now())

    async def begin(self, user: UserRow, workspace_id: UUID | None = None) -> SignedIn:
        """A new login, in the workspace wanted or the user's oldest. Raises NotFound where they are no member."""
        ends_at = self._now + timedelta(seconds=self._auth.rules.login_lifetime)
        login = LoginRow(user_id=user.id, created_at=self._now, ends_at=ends_at)
        self._session.add(login)
        await self._session.flush()
        return await self._issue(login, await self._workspace(user.id, workspace_id))

    async def find(self, refresh_token: str) -> RefreshTokenRow | None:
        """The row of a token; None unless signature and stored hash say that it is one of ours, used or not."""
        try:
            claims = self._auth.tokens.verify_refresh(refresh_token)
        except Unauthenticated:
            return None
        row = await self._session.get(RefreshTokenRow, claims.token_id)
        digest = self._auth.secrets.digest(refresh_token)
        return row if row is not None and hmac.compare_digest(row.digest, digest) else None

    async def rotate(self, token: RefreshTokenRow, workspace_id: UUID | None) -> SignedIn | None:
        """The next pair; None where the token was used before, also by somebody at this same moment.

        Raises Unauthenticated where the token, its login or its user is at an end.
        """
        login = await self._session.get_one(LoginRow, token.login_id)
        user = await self._session.get_one(UserRow, login.user_id)
        if login.revoked_at is not None or min(token.expires_at, login.ends_at) <= self._now or not self.admits(user):
            raise Unauthenticated(ENDED)
        workspace = await self._workspace(user.id, workspace_id or UUID(token.workspace_id))
        successor = new_id()
        unused = (RefreshTokenRow.id == token.id, RefreshTokenRow.used_at.is_(None))
        mine = update(RefreshTokenRow).where(*unused).values(used_at=self._now, replaced_by=successor)
        if (await self._session.execute(mine.returning(RefreshTokenRow.id))).first() is None:
            return None
        return await self._issue(login, workspace, successor)

    async def revoke(self, login_id: str) -> LoginRow:
        login = await self._session.get_one(LoginRow, login_id)
        login.revoked_at = login.revoked_at or self._now
        return login

    async def revoke_all(self, user_id: str) -> None:
        """End every login of a user."""
        mine = update(LoginRow).where(LoginRow.user_id == user_id, LoginRow.revoked_at.is_(None))
        await self._session.execute(mine.values(revoked_at=self._now))

    def admits(self, user: UserRow) -> bool:
        """Whether the account may be signed in to."""
        return user.is_active and (user.is_email_verified or not self._auth.rules.verified_email)

    async def _issue(self, login: LoginRow, workspace_id: str, token_id: str | None = None) -> SignedIn:
        tokens, token_id = self._auth.tokens, token_id or new_id()
        expires_at = min(self._now + timedelta(seconds=self._auth.rules.refresh_lifetime), login.ends_at)
        refresh = tokens.issue_refresh(
            token_id=token_id,
            user_id=login.user_id,
            family_id=login.id,
            began_at=login.created_at.timestamp(),
            expires_at=expires_at.timestamp(),
        )
        self._session.add(self._row(token_id, login, refresh, workspace_id, expires_at))
        await self._session.flush()
        access = tokens.issue(user_id=login.user_id, workspace_id=workspace_id, family_id=login.id)
        return SignedIn(access, refresh, int(tokens.lifetime), workspace_id)

    def _row(
        self, token_id: str, login: LoginRow, token: str, workspace_id: str, expires_at: datetime
    ) -> RefreshTokenRow:
        return RefreshTokenRow(
            id=token_id,
            login_id=login.id,
            digest=self._auth.secrets.digest(token),
            workspace_id=workspace_id,
            created_at=self._now,
            expires_at=expires_at,
        )

    async def _workspace(self, user_id: str, wanted: UUID | None) -> str:
        found = await membership(self._session, user_id, None if wanted is None else str(wanted))
        if found is None:
            raise NotFound(f"you are no member of a workspace {wanted or ''}".rstrip())
        return found.workspace_id
