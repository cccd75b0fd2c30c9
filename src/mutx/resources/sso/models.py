"""Who people are at their identity provider, and sign-ins under way."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Id, Row


class SsoIdentityRow(Row):
    """A subject of an issuer is this user. Made at the first sign-in."""

    __tablename__ = "sso_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[Id]
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]


class SsoAttemptRow(Row):
    """A browser that was sent to the provider and has not come back. Holds no secret: digests of two."""

    __tablename__ = "sso_attempts"

    id: Mapped[Id]
    state_digest: Mapped[str] = mapped_column(String(64), unique=True)
    binding_digest: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(index=True)
