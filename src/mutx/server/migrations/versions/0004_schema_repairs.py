"""A record of what was mended in the tables themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schema_repairs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.String(length=36), nullable=False),
        sa.Column("mended", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schema_repairs"),
    )


def downgrade() -> None:
    op.drop_table("schema_repairs")
