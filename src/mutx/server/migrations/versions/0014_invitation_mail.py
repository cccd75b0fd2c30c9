"""Invitations are mailed: with a token of their own, of which only the hash is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLE = "workspace_invitations"
INDEXES = (("mail_digest", True), ("mail_wanted_at", False))


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("mail_digest", sa.String(length=64), nullable=True))
    op.add_column(TABLE, sa.Column("mail_wanted_at", sa.DateTime(timezone=True), nullable=True))
    for column, unique in INDEXES:
        op.create_index(f"ix_{TABLE}_{column}", TABLE, [column], unique=unique)


def downgrade() -> None:
    for column, _ in INDEXES:
        op.drop_index(f"ix_{TABLE}_{column}", TABLE)
        op.drop_column(TABLE, column)
