"""Logins, as families of refresh tokens that replace one another."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class LoginRow(Row):
    """One sign-in: what its tokens descend from. Revoking it ends them all."""

    __tablename__ = "logins"

    id: Mapped[Id]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    """No refresh goes on beyond this."""
    revoked_at: Mapped[datetime | None]


class RefreshTokenRow(Row):
    """One refresh token, kept after its use so that a second use is seen."""

    __tablename__ = "refresh_tokens"

    id: Mapped[Id]
    login_id: Mapped[str] = mapped_column(ForeignKey("logins.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    replaced_by: Mapped[str | None] = mapped_column(String(36))
