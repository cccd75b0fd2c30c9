"""Audit entries as links that outlive their content; the signed end of each chain."""

import hashlib
import os
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from mutx.kit.canonical import canonical

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
CONTENT = (
    *("event_id", "event_type", "agent_id", "session_id", "user_id", "run_id", "trace_id", "span_id"),
    *("parent_span_id", "actor_type", "actor_id", "actor_display", "policy_decision_id", "policy_refs", "approval_id"),
    "payload",
)
CLASSES = {"LOGIN": "login", "LOGOUT": "login", "APPROVAL": "agent_execution", "RUN": "agent_execution"}


def upgrade() -> None:
    op.create_table(
        "audit_chains",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("base_hash", sa.String(length=64), nullable=True),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("values_before", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_audit_chains"),
    )
    with op.batch_alter_table("audit_events") as table:
        table.add_column(sa.Column("sealed", sa.Text(), nullable=True))
        table.add_column(sa.Column("retention", sa.String(length=32), nullable=False, server_default="configuration"))
        table.add_column(sa.Column("salt", sa.String(length=32), nullable=True))
        table.add_column(sa.Column("content", sa.String(length=64), nullable=False, server_default=""))
        table.alter_column("payload", existing_type=JSON, nullable=True)
    _link_anew()
    with op.batch_alter_table("audit_events") as table:
        table.alter_column("retention", server_default=None)
        table.alter_column("content", server_default=None)
    op.create_index("ix_audit_events_run", "audit_events", ["workspace_id", "run_id"], unique=False)
    op.create_index("ix_audit_events_retention", "audit_events", ["retention", "timestamp"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_audit_events_retention", table_name="audit_events")
    op.drop_index("ix_audit_events_run", table_name="audit_events")
    with op.batch_alter_table("audit_events") as table:
        for name in ("sealed", "retention", "salt", "content"):
            table.drop_column(name)
    op.drop_table("audit_chains")


def _link_anew() -> None:
    """Chains of before were not signed; link them in the form that is, one workspace after the other."""
    connection = op.get_bind()
    table = sa.Table("audit_events", sa.MetaData(), autoload_with=connection)
    head: tuple[str, str | None] = ("", None)
    rows = connection.execute(sa.select(table).order_by(table.c.workspace_id, table.c.sequence)).mappings().all()
    for row in rows:
        previous = head[1] if head[0] == row["workspace_id"] else None
        salt, kind = os.urandom(16), CLASSES.get(row["event_type"].partition("_")[0], "configuration")
        content = {name: row[name] for name in CONTENT}
        commitment = hashlib.sha256(b"mutx.commitment.v1/audit.content\0" + salt + canonical(content)).hexdigest()
        link = {
            "v": 1,
            "workspace": row["workspace_id"],
            "seq": row["sequence"],
            "prev": previous,
            "at": _rfc3339(row["timestamp"]),
            "retention": kind,
            "content": commitment,
        }
        whole = hashlib.sha256(canonical({k: v for k, v in link.items() if v is not None})).hexdigest()
        values = {
            "salt": salt.hex(),
            "content": commitment,
            "retention": kind,
            "previous_hash": previous,
            "integrity_hash": whole,
        }
        connection.execute(table.update().where(table.c.id == row["id"]).values(values))
        head = (row["workspace_id"], whole)


def _rfc3339(moment: datetime) -> str:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat("T", "microseconds") + "Z"
