"""The revocation epoch: one number that moves, in the same unit of work, whenever somebody loses a right to come in."""

from datetime import datetime

from sqlalchemy import Integer, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from mutx.storage.tables import Row

ONLY = 1


class RevocationEpochRow(Row):
    """One row for the installation. None yet: nothing was ever revoked."""

    __tablename__ = "revocation_epoch"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    moved_at: Mapped[datetime]


async def move_epoch(session: AsyncSession, now: datetime) -> None:
    """Part of the unit of work that revokes. Concurrent ones wait for each other here, so ask for it last."""
    moved = update(RevocationEpochRow).where(RevocationEpochRow.id == ONLY)
    result = await session.execute(
        moved.values(epoch=RevocationEpochRow.epoch + 1, moved_at=now).returning(RevocationEpochRow.epoch)
    )
    if result.first() is None:
        await session.execute(insert(RevocationEpochRow).values(id=ONLY, epoch=1, moved_at=now))


async def read_epoch(session: AsyncSession) -> int:
    return await session.scalar(select(RevocationEpochRow.epoch).where(RevocationEpochRow.id == ONLY)) or 0
