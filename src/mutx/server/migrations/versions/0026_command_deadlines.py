"""A command that is not acknowledged in time ends as `timeout`. What waits already has an hour from now."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0022"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COMMANDS = sa.table("agent_commands", sa.column("status", sa.String), sa.column("expires_at", _MOMENT))


def upgrade() -> None:
    op.add_column("agent_commands", sa.Column("expires_at", _MOMENT, nullable=True))
    op.execute(_COMMANDS.update().values(expires_at=datetime.now(UTC) + timedelta(hours=1)))
    with op.batch_alter_table("agent_commands") as commands:
        commands.alter_column("expires_at", existing_type=_MOMENT, nullable=False)
    op.create_index("ix_agent_commands_status_expires_at", "agent_commands", ["status", "expires_at"])


def downgrade() -> None:
    op.drop_index("ix_agent_commands_status_expires_at", "agent_commands")
    op.execute(_COMMANDS.update().where(_COMMANDS.c.status == "timeout").values(status="failed"))
    with op.batch_alter_table("agent_commands") as commands:
        commands.drop_column("expires_at")
