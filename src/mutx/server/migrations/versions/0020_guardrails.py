"""How agents behave: counts by minute and each agent's norm."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guardrail_minutes",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_guardrail_minutes_agent_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_guardrail_minutes_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", "minute", name="pk_guardrail_minutes"),
    )
    op.create_index("ix_guardrail_minutes_workspace_id", "guardrail_minutes", ["workspace_id"])
    op.create_table(
        "guardrail_norms",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("outputs", sa.Integer(), nullable=False),
        sa.Column("output_norm", sa.Double(), nullable=False),
        sa.Column("past", sa.JSON(), nullable=False),
        sa.Column("recent", sa.JSON(), nullable=False),
        sa.Column("paused_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name="fk_guardrail_norms_agent_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_guardrail_norms_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", name="pk_guardrail_norms"),
    )
    op.create_index("ix_guardrail_norms_workspace_id", "guardrail_norms", ["workspace_id"])


def downgrade() -> None:
    op.drop_table("guardrail_norms")
    op.drop_table("guardrail_minutes")
