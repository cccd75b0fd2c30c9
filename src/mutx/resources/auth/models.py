"""Logins, as families of refresh tokens that replace one another; what was mailed to whom."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
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
    """One refresh token (`id` is its `jti`), kept after its use so that a second use is seen."""

    __tablename__ = "refresh_tokens"

    id: Mapped[Id]
    login_id: Mapped[str] = mapped_column(ForeignKey("logins.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    replaced_by: Mapped[str | None] = mapped_column(String(36))


class MailedTokenRow(Row):
    """A token somebody was mailed, as a keyed hash. Using it removes it, and all others of its purpose."""

    __tablename__ = "mailed_tokens"

    id: Mapped[Id]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class MailRequestRow(Row):
    """That a mail was asked for; written alike whether or not the address belongs to anybody. Holds no token."""

    __tablename__ = "mail_requests"
    __table_args__ = (UniqueConstraint("email", "purpose"), Index("ix_mail_requests_due_at", "due_at"))

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(254))
    purpose: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(300))
    requested_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When it is tried next; None: it is done, or was given up."""
    attempts: Mapped[int]
