"""The revocation epoch; tokens that were mailed, and mails that were asked for."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _revocation_epoch()
    _mailed_tokens()
    _mail_requests()


def downgrade() -> None:
    op.drop_table("mail_requests")
    op.drop_table("mailed_tokens")
    op.drop_table("revocation_epoch")


def _revocation_epoch() -> None:
    epoch = op.create_table(
        "revocation_epoch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revocation_epoch"),
    )
    op.bulk_insert(epoch, [{"id": 1, "epoch": 0, "moved_at": datetime.now(UTC)}])


def _mailed_tokens() -> None:
    op.create_table(
        "mailed_tokens",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_mailed_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_mailed_tokens"),
        sa.UniqueConstraint("digest", name="uq_mailed_tokens_digest"),
    )
    op.create_index("ix_mailed_tokens_user_id", "mailed_tokens", ["user_id"], unique=False)


def _mail_requests() -> None:
    op.create_table(
        "mail_requests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mail_requests"),
        sa.UniqueConstraint("email", "purpose", name="uq_mail_requests_email_purpose"),
    )
    op.create_index("ix_mail_requests_due_at", "mail_requests", ["due_at"], unique=False)
