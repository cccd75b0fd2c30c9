"""What is counted in the database when somebody scrapes or asks how it is."""

from collections.abc import Sequence

from sqlalchemy import func, select

from mutx.contract.agents import AgentStatus
from mutx.resources.agents.commands import PENDING
from mutx.resources.agents.models import AgentCommandRow, AgentRow
from mutx.resources.health.vitals import Fleet
from mutx.resources.supervision.models import SupervisedAgentRow
from mutx.storage.engine import Database
from mutx.storage.ledger_tables import outbox, outbox_cursors


async def count(database: Database, sinks: Sequence[str]) -> Fleet:
    running = func.count().filter(AgentRow.status == AgentStatus.RUNNING)
    tasks = select(func.count()).select_from(AgentCommandRow).where(AgentCommandRow.status == PENDING)
    state = SupervisedAgentRow.state
    async with database.read() as session:
        agents, active = (await session.execute(select(func.count(), running).select_from(AgentRow))).one()
        pending = await session.scalar(tasks) or 0
        deployed = {row[0]: row[1] for row in await session.execute(select(state, func.count()).group_by(state))}
        newest = await session.scalar(select(func.max(outbox.c.id))) or 0
        read = {row.sink: row.last_id for row in await session.execute(select(outbox_cursors))}
    waiting = {sink: max(0, newest - read.get(sink, 0)) for sink in sinks}
    return Fleet(agents, active, pending, deployed, waiting)


async def oldest_waiting(database: Database, sinks: Sequence[str]) -> float | None:
    """When the oldest event that some of `sinks` (at least one) has not taken came about, seconds; None if there is none."""
    async with database.read() as session:
        read = {row.sink: row.last_id for row in await session.execute(select(outbox_cursors))}
        behind = min(read.get(sink, 0) for sink in sinks)
        found: float | None = await session.scalar(select(func.min(outbox.c.at)).where(outbox.c.id > behind))
    return found
