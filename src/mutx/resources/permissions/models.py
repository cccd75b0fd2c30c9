"""Grants and denials below the roles."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class PermissionRow(Row):
    __tablename__ = "permissions"
    __table_args__ = (Index(None, "workspace_id", "principal_type", "principal"),)

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    principal_type: Mapped[str] = mapped_column(String(16))
    principal: Mapped[str] = mapped_column(String(64))
    effect: Mapped[str] = mapped_column(String(16))
    verb: Mapped[str] = mapped_column(String(16))
    agent: Mapped[str] = mapped_column(String(256))
    tool: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[datetime]
