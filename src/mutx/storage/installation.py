"""Keys of the installation that every replica needs: in the store, sealed."""

from datetime import datetime

from sqlalchemy import String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Row


class InstallationSecretRow(Row):
    __tablename__ = "installation_secrets"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """What it is: `token-keys`, `secrets-pepper`."""
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


async def sealed_secret(session: AsyncSession, name: str) -> str | None:
    return await session.scalar(select(InstallationSecretRow.sealed).where(InstallationSecretRow.id == name))
