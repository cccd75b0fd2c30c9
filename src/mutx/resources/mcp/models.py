"""The definitions of MCP tools that were ever seen."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class McpToolRow(Row):
    """One definition of one tool of one server. What it says never changes; where it stands does."""

    __tablename__ = "mcp_tools"
    __table_args__ = (UniqueConstraint("workspace_id", "server", "tool", "digest"),)

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    server: Mapped[str] = mapped_column(String(40))
    tool: Mapped[str] = mapped_column(String(256))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the definition's canonical form."""
    state: Mapped[str] = mapped_column(String(16))
    reasons: Mapped[list[str]]
    """Why it was held back when it was first seen, or is now."""
    definition: Mapped[dict[str, Any]]
    decided_by: Mapped[str | None] = mapped_column(String(256))
    decided_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
