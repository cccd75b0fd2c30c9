"""What agents have handed one another."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class DelegationRow(Row):
    """One hop. `content` is the hop as it was signed; the columns beside it are for looking it up."""

    __tablename__ = "delegations"
    __table_args__ = (
        Index(None, "workspace_id", "created_at"),
        UniqueConstraint("workspace_id", "action_id", name="uq_delegations_workspace_id_action_id"),
    )

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(String(36))
    delegator: Mapped[str] = mapped_column(String(256))
    delegate: Mapped[str] = mapped_column(String(256))
    content: Mapped[dict[str, Any]]
    issuer: Mapped[str] = mapped_column(Text)
    """Who issued it, as a caller; asked about again for every call."""
    issued_by: Mapped[str] = mapped_column(String(256))
    user_id: Mapped[str] = mapped_column(String(256))
    action_id: Mapped[str | None] = mapped_column(String(128))
    receipt_id: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
