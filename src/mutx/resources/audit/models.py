"""The table of audit entries that are no turn: append-only, one hash chain per workspace."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row

NAME = String(256)
HASH = String(64)


class AuditEventRow(Row):
    """One entry. Nothing updates or deletes these rows."""

    __tablename__ = "audit_events"
    __table_args__ = (
        UniqueConstraint("workspace_id", "sequence"),
        UniqueConstraint("workspace_id", "event_id"),
        Index("ix_audit_events_time", "workspace_id", "timestamp"),
        Index("ix_audit_events_session", "workspace_id", "session_id"),
        Index("ix_audit_events_agent", "workspace_id", "agent_id"),
        Index("ix_audit_events_trace", "workspace_id", "trace_id"),
        Index("ix_audit_events_type", "workspace_id", "event_type"),
    )

    id: Mapped[Id]
    workspace_id: Mapped[str] = mapped_column(String(36))
    sequence: Mapped[int]
    event_id: Mapped[str] = mapped_column(HASH)
    """Derived from the event, so that one delivered twice is stored once."""
    event_type: Mapped[str] = mapped_column(String(64))
    timestamp: Mapped[datetime]
    agent_id: Mapped[str] = mapped_column(NAME)
    session_id: Mapped[str] = mapped_column(NAME)
    user_id: Mapped[str | None] = mapped_column(NAME, index=True)
    """Whose it is: people without an audit role see their own."""
    run_id: Mapped[str | None] = mapped_column(NAME)
    trace_id: Mapped[str | None] = mapped_column(NAME)
    span_id: Mapped[str | None] = mapped_column(String(64))
    parent_span_id: Mapped[str | None] = mapped_column(String(64))
    actor_type: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[str | None] = mapped_column(NAME)
    actor_display: Mapped[str | None] = mapped_column(NAME)
    policy_decision_id: Mapped[str | None] = mapped_column(NAME)
    policy_refs: Mapped[list[str]]
    approval_id: Mapped[str | None] = mapped_column(NAME)
    payload: Mapped[dict[str, Any]]
    previous_hash: Mapped[str | None] = mapped_column(HASH)
    integrity_hash: Mapped[str] = mapped_column(HASH)
