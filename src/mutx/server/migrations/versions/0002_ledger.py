"""The ledger: sessions, turns, actions, approvals, grants, counters, outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _approval_requests()
    _ledger_counters()
    _ledger_redemptions()
    _ledger_sessions()
    _ledger_snapshots()
    _ledger_turns()
    _outbox()
    _outbox_cursors()
    _standing_grants()


def downgrade() -> None:
    op.drop_table("standing_grants")
    op.drop_table("outbox_cursors")
    op.drop_table("outbox")
    op.drop_table("ledger_turns")
    op.drop_table("ledger_snapshots")
    op.drop_table("ledger_sessions")
    op.drop_table("ledger_redemptions")
    op.drop_table("ledger_counters")
    op.drop_table("approval_requests")


def _approval_requests() -> None:
    op.create_table(
        "approval_requests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.Column("action_id", sa.String(length=256), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("escalates_at", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approval_requests"),
        sa.UniqueConstraint("token", name="uq_approval_requests_token"),
    )
    op.create_index("ix_approval_requests_action", "approval_requests", ["workspace_id", "action_id"], unique=False)
    op.create_index("ix_approval_requests_agent", "approval_requests", ["workspace_id", "agent_id"], unique=False)
    op.create_index("ix_approval_requests_due_at", "approval_requests", ["due_at"], unique=False)
    op.create_index("ix_approval_requests_session", "approval_requests", ["workspace_id", "session_id"], unique=False)
    op.create_index("ix_approval_requests_status", "approval_requests", ["workspace_id", "status", "id"], unique=False)


def _ledger_counters() -> None:
    op.create_table(
        "ledger_counters",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=512), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("window_end", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "key", name="pk_ledger_counters"),
    )
    op.create_index("ix_ledger_counters_window_end", "ledger_counters", ["window_end"], unique=False)


def _ledger_redemptions() -> None:
    op.create_table(
        "ledger_redemptions",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("action_id", sa.String(length=256), nullable=False),
        sa.Column("permit_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "action_id", name="pk_ledger_redemptions"),
    )


def _ledger_sessions() -> None:
    op.create_table(
        "ledger_sessions",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.Column("user_id", sa.String(length=256), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("permits", sa.Integer(), nullable=False),
        sa.Column("denials", sa.Integer(), nullable=False),
        sa.Column("defers", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("drifts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.Column("closed_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_sessions"),
        sa.UniqueConstraint("workspace_id", "session_id", name="uq_ledger_sessions_workspace_id_session_id"),
    )


def _ledger_snapshots() -> None:
    op.create_table(
        "ledger_snapshots",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("context", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "session_id", name="pk_ledger_snapshots"),
    )


def _ledger_turns() -> None:
    op.create_table(
        "ledger_turns",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=256), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("action_id", sa.String(length=256), nullable=False),
        sa.Column("receipt_id", sa.String(length=36), nullable=False),
        sa.Column("receipt_hash", sa.String(length=64), nullable=False),
        sa.Column("tool_name", sa.String(length=256), nullable=False),
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.Column("user_id", sa.String(length=256), nullable=False),
        sa.Column("decided_by", sa.String(length=256), nullable=True),
        sa.Column("effect", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("permit_expires_at", sa.Float(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_turns"),
        sa.UniqueConstraint("workspace_id", "session_id", "seq", name="uq_ledger_turns_workspace_id_session_id_seq"),
    )
    op.create_index("ix_ledger_turns_receipt_id", "ledger_turns", ["receipt_id"], unique=False)
    op.create_index(
        "ix_ledger_turns_resolution",
        "ledger_turns",
        ["workspace_id", "action_id"],
        unique=False,
        sqlite_where=sa.text("kind = 'resolution'"),
        postgresql_where=sa.text("kind = 'resolution'"),
    )
    op.create_index("ix_ledger_turns_time", "ledger_turns", ["workspace_id", "at", "kind", "agent_id"], unique=False)
    op.create_index(
        "uq_ledger_turns_action",
        "ledger_turns",
        ["workspace_id", "action_id", "kind"],
        unique=True,
        sqlite_where=sa.text("kind <> 'resolution'"),
        postgresql_where=sa.text("kind <> 'resolution'"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )


def _outbox_cursors() -> None:
    op.create_table(
        "outbox_cursors",
        sa.Column("sink", sa.String(length=64), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sink", name="pk_outbox_cursors"),
    )


def _standing_grants() -> None:
    op.create_table(
        "standing_grants",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=256), nullable=False),
        sa.Column("tool_name", sa.String(length=256), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.Float(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_standing_grants"),
    )
    op.create_index(
        "ix_standing_grants_agent", "standing_grants", ["workspace_id", "agent_id", "tool_name"], unique=False
    )
