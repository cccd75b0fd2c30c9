"""Single sign-on: who people are at their provider, and the workspace that they share."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added in place: rebuilding a table would take what refers to it along.
    op.add_column("workspaces", sa.Column("sso_issuer", sa.String(length=255), nullable=True))
    op.create_index("ix_workspaces_sso_issuer", "workspaces", ["sso_issuer"], unique=True)
    op.add_column(
        "workspace_members", sa.Column("source", sa.String(length=16), nullable=False, server_default="manual")
    )
    op.create_table(
        "sso_identities",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sso_identities_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sso_identities"),
        sa.UniqueConstraint("issuer", "subject", name="uq_sso_identities_issuer_subject"),
    )
    op.create_index("ix_sso_identities_user_id", "sso_identities", ["user_id"], unique=False)
    op.create_table(
        "sso_attempts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("state_digest", sa.String(length=64), nullable=False),
        sa.Column("binding_digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sso_attempts"),
        sa.UniqueConstraint("state_digest", name="uq_sso_attempts_state_digest"),
    )
    op.create_index("ix_sso_attempts_expires_at", "sso_attempts", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("sso_attempts")
    op.drop_table("sso_identities")
    op.drop_column("workspace_members", "source")
    op.drop_index("ix_workspaces_sso_issuer", "workspaces")
    op.drop_column("workspaces", "sso_issuer")
