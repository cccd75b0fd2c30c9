"""Policies as they are, all their versions, and every combination of them that was ever in force."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Ref, Row


class PolicyRow(Row):
    """A policy in its present version."""

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[Id]
    workspace_id: Mapped[Ref]
    name: Mapped[str] = mapped_column(String(128))
    enabled: Mapped[bool]
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8))
    document: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PolicyVersionRow(Row):
    """One version of one policy. Append-only."""

    __tablename__ = "policy_versions"
    __table_args__ = (UniqueConstraint("workspace_id", "name", "version"),)

    id: Mapped[Id]
    workspace_id: Mapped[Ref]
    name: Mapped[str] = mapped_column(String(128))
    version: Mapped[int]
    change: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(8))
    enabled: Mapped[bool]
    document: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    changed_by: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[datetime]


class PolicySnapshotRow(Row):
    """What was in force after one change. Append-only; its key also keeps two changes from being the same one."""

    __tablename__ = "policy_snapshots"

    workspace_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    policy_version: Mapped[str] = mapped_column(String(64), index=True)
    members: Mapped[list[Any]]
    """`{name, version, digest}` of each enabled policy."""
    created_at: Mapped[datetime]
