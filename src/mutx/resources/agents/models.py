"""Agents, their versions, and what they report."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class AgentRow(Row):
    __tablename__ = "agents"

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Who created it."""
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(32))
    config: Mapped[dict[str, Any] | None]
    config_version: Mapped[int]
    details: Mapped[dict[str, Any]]
    """What it said of itself: metadata, capabilities, platform, hostname, message."""
    last_heartbeat: Mapped[datetime | None]
    running_since: Mapped[datetime | None]
    paused_since: Mapped[datetime | None] = mapped_column(index=True)
    """Nothing is allowed to it until a person resumes it: see the guardrails."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AgentVersionRow(Row):
    __tablename__ = "agent_versions"
    __table_args__ = (UniqueConstraint("agent_id", "version"),)

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(String(36), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    version: Mapped[int]
    config_snapshot: Mapped[str] = mapped_column(Text)
    """JSON text."""
    status: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]
    rolled_back_at: Mapped[datetime | None]


class AgentMetricRow(Row):
    __tablename__ = "agent_metrics"
    __table_args__ = (Index(None, "agent_id", "timestamp"),)

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(String(36), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    cpu_usage: Mapped[float | None]
    memory_usage: Mapped[float | None]
    uptime_seconds: Mapped[float | None]
    requests_processed: Mapped[int | None]
    errors_count: Mapped[int | None]
    custom: Mapped[dict[str, Any]]
    timestamp: Mapped[datetime]


class AgentLogRow(Row):
    __tablename__ = "agent_logs"
    __table_args__ = (Index(None, "agent_id", "timestamp"),)

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(String(36), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    level: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text)
    extra_data: Mapped[str | None] = mapped_column(Text)
    """JSON text."""
    timestamp: Mapped[datetime]


class AgentCommandRow(Row):
    __tablename__ = "agent_commands"
    __table_args__ = (Index(None, "agent_id", "status", "created_at"), Index(None, "status", "expires_at"))

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(String(36), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    action: Mapped[str] = mapped_column(String(64))
    parameters: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    """`pending`, `succeeded`, `failed`, or `timeout`: nobody acknowledged it in time."""
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
