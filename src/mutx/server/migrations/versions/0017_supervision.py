"""Supervised agents, and the kill switch of any agent."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0019"
branch_labels = None
depends_on = None

AGENTS, KILLS = "supervised_agents", "agent_kills"
TEXT36 = sa.String(length=36)
MOMENT = sa.DateTime(timezone=True)


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def upgrade() -> None:
    op.create_table(
        AGENTS,
        *(_required(name, TEXT36) for name in ("id", "workspace_id", "agent_id", "user_id")),
        _required("command", sa.JSON()),
        _required("env", sa.Text()),
        _required("env_keys", sa.JSON()),
        _optional("cwd", sa.Text()),
        _optional("launch_profile", sa.String(length=128)),
        _optional("faramesh_policy", sa.String(length=255)),
        _required("desired", sa.String(length=16)),
        _required("restart_wanted", sa.Boolean()),
        _optional("stop_seconds", sa.Double()),
        _required("state", sa.String(length=16)),
        _optional("launch_id", TEXT36),
        _optional("pid", sa.Integer()),
        _optional("host_id", sa.String(length=64)),
        _optional("lease_until", MOMENT),
        *(_required(name, sa.Integer()) for name in ("restart_count", "failures")),
        _optional("last_exit_code", sa.Integer()),
        _required("last_error", sa.Text()),
        *(_optional(name, MOMENT) for name in ("last_start_at", "last_stop_at", "next_start_at")),
        *(_required(name, MOMENT) for name in ("created_at", "updated_at")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=f"fk_{AGENTS}_workspace_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=f"fk_{AGENTS}_agent_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{AGENTS}"),
        sa.UniqueConstraint("agent_id", name=f"uq_{AGENTS}_agent_id"),
    )
    op.create_index(f"ix_{AGENTS}_workspace_id", AGENTS, ["workspace_id"])
    op.create_index(f"ix_{AGENTS}_desired_host_id", AGENTS, ["desired", "host_id"])
    op.create_table(
        KILLS,
        *(_required(name, TEXT36) for name in ("id", "workspace_id", "agent_id", "killed_by")),
        _required("reason", sa.Text()),
        _required("killed_at", MOMENT),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=f"fk_{KILLS}_workspace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{KILLS}"),
        sa.UniqueConstraint("workspace_id", "agent_id", name=f"uq_{KILLS}_workspace_id_agent_id"),
    )


def downgrade() -> None:
    op.drop_table(KILLS)
    op.drop_table(AGENTS)
