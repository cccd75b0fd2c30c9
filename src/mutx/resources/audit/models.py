"""Audit entries that are no turn: append-only, one hash chain per workspace, and where each chain ends."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row

NAME = String(256)
HASH = String(64)


class AuditEventRow(Row):
    """One entry. Only retention and erasure ever touch it: they empty the content and leave the link."""

    __tablename__ = "audit_events"
    __table_args__ = (
        UniqueConstraint("workspace_id", "sequence"),
        UniqueConstraint("workspace_id", "event_id"),
        Index("ix_audit_events_time", "workspace_id", "timestamp"),
        Index("ix_audit_events_session", "workspace_id", "session_id"),
        Index("ix_audit_events_agent", "workspace_id", "agent_id"),
        Index("ix_audit_events_trace", "workspace_id", "trace_id"),
        Index("ix_audit_events_type", "workspace_id", "event_type"),
        Index("ix_audit_events_run", "workspace_id", "run_id"),
        Index("ix_audit_events_retention", "retention", "timestamp"),
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
    payload: Mapped[dict[str, Any] | None]
    """In plaintext: only of entries that were written before payloads were sealed."""
    sealed: Mapped[str | None] = mapped_column(Text)
    """The payload under the installation's keys, bound to this row."""
    retention: Mapped[str] = mapped_column(String(32))
    """Class that says how long the content is kept; an erased entry has no salt."""
    salt: Mapped[str | None] = mapped_column(String(32))
    content: Mapped[str] = mapped_column(HASH)
    """Salted commitment to the content."""
    previous_hash: Mapped[str | None] = mapped_column(HASH)
    integrity_hash: Mapped[str] = mapped_column(HASH)


class AuditChainRow(Row):
    """Where a workspace's chain ends and, since retention, begins. Locked by whoever appends."""

    __tablename__ = "audit_chains"

    workspace_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sequence: Mapped[int]
    hash: Mapped[str | None] = mapped_column(HASH)
    base: Mapped[int]
    """The last entry that retention removed whole."""
    base_hash: Mapped[str | None] = mapped_column(HASH)
    statement: Mapped[str | None] = mapped_column(Text)
    """All of that, signed: the envelope of an `AuditHead`."""
    values_before: Mapped[datetime | None]
    """Up to here retention has erased the arguments and results of governed actions."""
