"""People, workspaces, and who works where."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class UserRow(Row):
    __tablename__ = "users"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """Lower case."""
    name: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    """None: this account never signs in with a password."""
    plan: Mapped[str] = mapped_column(String(32), default="free")
    is_active: Mapped[bool] = mapped_column(default=True)
    is_email_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class WorkspaceRow(Row):
    __tablename__ = "workspaces"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(255))
    personal: Mapped[bool]
    own_approvals: Mapped[bool]
    sso_issuer: Mapped[str | None] = mapped_column(String(255), index=True, unique=True)
    """The OpenID issuer whose people work here."""
    created_at: Mapped[datetime]


class MembershipRow(Row):
    __tablename__ = "workspace_members"
    __table_args__ = (UniqueConstraint("workspace_id", "user_id"),)

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(16), default="manual", server_default="manual")
    created_at: Mapped[datetime]


class InvitationRow(Row):
    """Somebody who may join. The token itself is nowhere."""

    __tablename__ = "workspace_invitations"

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the token that the administrator was shown."""
    mail_digest: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    """Of the token that was mailed last."""
    mail_wanted_at: Mapped[datetime | None] = mapped_column(index=True)
    """Since when a mail is to go out; None: it went, or this server sends none."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
