"""The latest time that the ledger has on record."""

from sqlalchemy import func, select

from mutx.storage.engine import Database
from mutx.storage.ledger_tables import turns

LAST = 1000
"""Turns looked at: those of one group commit may stand in another order than their times."""


async def latest_recorded(database: Database) -> float:
    """Seconds since the epoch; 0 where there is no turn yet. Reads the newest turns only."""
    newest = select(turns.c.at).order_by(turns.c.id.desc()).limit(LAST).subquery()
    async with database.read() as session:
        return await session.scalar(select(func.max(newest.c.at))) or 0.0
