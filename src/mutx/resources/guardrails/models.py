"""How agents behave: counts by minute, and each agent's own norm."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class GuardrailMinuteRow(Row):
    """One agent's requests within one minute."""

    __tablename__ = "guardrail_minutes"

    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)
    minute: Mapped[int] = mapped_column(primary_key=True)
    """Minutes since the epoch."""
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    requests: Mapped[int] = mapped_column(default=0)
    ended: Mapped[int] = mapped_column(default=0)
    """Requests of which somebody said how they ended."""
    failures: Mapped[int] = mapped_column(default=0)


class GuardrailNormRow(Row):
    """What is normal for one agent."""

    __tablename__ = "guardrail_norms"

    agent_id: Mapped[Id] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    outputs: Mapped[int] = mapped_column(default=0)
    output_norm: Mapped[float] = mapped_column(default=0.0)
    past: Mapped[dict[str, Any]]
    """Tool -> uses, until the recent ones began."""
    recent: Mapped[dict[str, Any]]
    drifted_since: Mapped[datetime | None]
    """What it uses is not what it used before."""
