"""API keys. The secret itself is nowhere."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class ApiKeyRow(Row):
    __tablename__ = "api_keys"

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    """Whom the key acts for."""
    kind: Mapped[str] = mapped_column(String(16))
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    hint: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    previous_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The secret before the last rotation, while it overlaps."""
    previous_until: Mapped[datetime | None]
    scopes: Mapped[list[str]]
    role: Mapped[str | None] = mapped_column(String(32))
    """Never more than this, whatever the owner's role."""
    lane: Mapped[str | None] = mapped_column(String(64))
    """A coding agent's key, and what for."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
