"""Keys of the installation that every replica needs: in the store, sealed; and which key signs receipts."""

from datetime import datetime

from sqlalchemy import String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Row

RECEIPTS = "receipts"


class InstallationSecretRow(Row):
    __tablename__ = "installation_secrets"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """What it is: `token-keys`, `secrets-pepper`."""
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class ReceiptsKeyRow(Row):
    """One row at most."""

    __tablename__ = "receipts_key"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime]


async def receipts_key(session: AsyncSession) -> str | None:
    """The id of the key that this installation signs receipts with."""
    return await session.scalar(select(ReceiptsKeyRow.key_id).where(ReceiptsKeyRow.id == RECEIPTS))


async def sealed_secret(session: AsyncSession, name: str) -> str | None:
    return await session.scalar(select(InstallationSecretRow.sealed).where(InstallationSecretRow.id == name))
