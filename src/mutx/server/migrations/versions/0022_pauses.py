"""Whether an agent is paused moves to the agent; its norm learns since when it drifts."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

_SINCE = "SELECT n.paused_since FROM guardrail_norms n WHERE n.agent_id = agents.id"


def upgrade() -> None:
    op.add_column("agents", sa.Column("paused_since", sa.DateTime(timezone=True), nullable=True))
    op.execute(f"UPDATE agents SET paused_since = ({_SINCE})")  # noqa: S608 - a constant
    op.create_index("ix_agents_paused_since", "agents", ["paused_since"])
    with op.batch_alter_table("guardrail_norms") as norms:
        norms.drop_column("paused_since")
        norms.add_column(sa.Column("drifted_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("guardrail_norms") as norms:
        norms.drop_column("drifted_since")
        norms.add_column(sa.Column("paused_since", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE guardrail_norms SET paused_since = (SELECT a.paused_since FROM agents a WHERE a.id = agent_id)")
    op.drop_index("ix_agents_paused_since", "agents")
    op.drop_column("agents", "paused_since")
