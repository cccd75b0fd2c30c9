"""Policies and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _audit_events()
    _policies()
    _policy_snapshots()
    _policy_versions()


def downgrade() -> None:
    op.drop_table("policy_versions")
    op.drop_table("policy_snapshots")
    op.drop_table("policies")
    op.drop_table("audit_events")


def _audit_events() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("event_type", sa.String(length=64), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("user_id", sa.String(length=256), nullable=True),
        sa.Column("run_id", sa.String(length=256), nullable=True),
        sa.Column("trace_id", sa.String(length=256), nullable=True),
        sa.Column("span_id", sa.String(length=64), nullable=True),
        sa.Column("parent_span_id", sa.String(length=64), nullable=True),
        sa.Column("actor_type", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.String(length=256), nullable=True),
        sa.Column("actor_display", sa.String(length=256), nullable=True),
        sa.Column("policy_decision_id", sa.String(length=256), nullable=True),
        sa.Column("policy_refs", sa.JSON(), nullable=False),
        sa.Column("approval_id", sa.String(length=256), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("integrity_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
        sa.UniqueConstraint("workspace_id", "event_id", name="uq_audit_events_workspace_id_event_id"),
        sa.UniqueConstraint("workspace_id", "sequence", name="uq_audit_events_workspace_id_sequence"),
    )
    op.create_index("ix_audit_events_agent", "audit_events", ["workspace_id", "agent_id"], unique=False)
    op.create_index("ix_audit_events_session", "audit_events", ["workspace_id", "session_id"], unique=False)
    op.create_index("ix_audit_events_time", "audit_events", ["workspace_id", "timestamp"], unique=False)
    op.create_index("ix_audit_events_trace", "audit_events", ["workspace_id", "trace_id"], unique=False)
    op.create_index("ix_audit_events_type", "audit_events", ["workspace_id", "event_type"], unique=False)
    op.create_index("ix_audit_events_user_id", "audit_events", ["user_id"], unique=False)


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policies"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_policies_workspace_id_name"),
    )
    op.create_index("ix_policies_workspace_id", "policies", ["workspace_id"], unique=False)


def _policy_snapshots() -> None:
    op.create_table(
        "policy_snapshots",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "revision", name="pk_policy_snapshots"),
    )
    op.create_index("ix_policy_snapshots_policy_version", "policy_snapshots", ["policy_version"], unique=False)


def _policy_versions() -> None:
    op.create_table(
        "policy_versions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("changed_by", sa.String(length=256), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policy_versions"),
        sa.UniqueConstraint("workspace_id", "name", "version", name="uq_policy_versions_workspace_id_name_version"),
    )
    op.create_index("ix_policy_versions_workspace_id", "policy_versions", ["workspace_id"], unique=False)
