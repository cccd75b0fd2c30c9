"""Commands: what people ask of an agent, fetched and acknowledged by it in time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.agents import CommandAcknowledge, CommandSend
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict, NotFound
from mutx.resources.agents.models import AgentCommandRow
from mutx.resources.agents.ownership import managed, owned
from mutx.resources.agents.tasks import TIMEOUT, TaskMetrics
from mutx.storage.engine import Database
from mutx.web.deps import after_commit

PENDING, SUCCEEDED, FAILED = "pending", "succeeded", "failed"
AT_MOST = 100
SWEPT = 1000
"""Commands ended in one turn; the rest in the next."""


class AgentCommands:
    def __init__(self, session: AsyncSession, caller: Caller, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._now = to_datetime(clock.now())

    async def send(self, agent_id: UUID, wanted: CommandSend) -> AgentCommandRow:
        agent = await managed(self._session, self._caller, agent_id)
        row = AgentCommandRow(
            workspace_id=agent.workspace_id,
            agent_id=agent.id,
            action=wanted.action,
            parameters=wanted.parameters,
            status=PENDING,
            created_at=self._now,
            expires_at=self._now + timedelta(seconds=wanted.timeout_seconds),
        )
        self._session.add(row)
        await self._session.flush()
        return row

    async def pending(self, agent_id: str, since: datetime | None) -> Sequence[AgentCommandRow]:
        """Oldest first; those taken after `since` only. What nobody acknowledged in time is handed out no more."""
        agent = await owned(self._session, self._caller, agent_id)
        waiting = (AgentCommandRow.status == PENDING, AgentCommandRow.expires_at > self._now)
        query = select(AgentCommandRow).where(AgentCommandRow.agent_id == agent.id, *waiting)
        if since is not None:
            query = query.where(AgentCommandRow.created_at > since)
        oldest = query.order_by(AgentCommandRow.created_at, AgentCommandRow.id).limit(AT_MOST)
        return (await self._session.scalars(oldest)).all()

    async def acknowledge(self, report: CommandAcknowledge, tasks: TaskMetrics) -> AgentCommandRow:
        """Once, and counted in `tasks`; a repeated acknowledgement that says the same is answered alike.

        Raises Conflict if it differs, and if it comes after the command's time.
        """
        agent = await owned(self._session, self._caller, report.agent_id)
        row = await self._session.get(AgentCommandRow, report.command_id, with_for_update=True)
        if row is None or row.agent_id != agent.id:
            raise NotFound(f"no command {report.command_id} for this agent")
        status = SUCCEEDED if report.success else FAILED
        if row.status == TIMEOUT or (row.status == PENDING and row.expires_at <= self._now):
            raise Conflict("the time of this command is over; send it again with a longer timeout_seconds")
        if row.status not in (PENDING, status):
            raise Conflict(f"this command is acknowledged as {row.status} already")
        if row.status == PENDING:
            row.status, row.result, row.error, row.completed_at = status, report.result, report.error, self._now
            after_commit(self._session, partial(tasks.completed, report.success, row.created_at, self._now))
        return row


async def end_overdue(database: Database, clock: Clock, tasks: TaskMetrics) -> None:
    """Give up the commands that nobody acknowledged in time. On every replica; each command is counted by the one that ended it."""
    now = to_datetime(clock.now())
    overdue = select(AgentCommandRow.id).where(AgentCommandRow.status == PENDING, AgentCommandRow.expires_at <= now)
    async with database.read() as session:
        if await session.scalar(overdue.limit(1)) is None:  # as most times: nothing is written
            return
    some = overdue.order_by(AgentCommandRow.expires_at).limit(SWEPT).with_for_update(skip_locked=True)
    give_up = update(AgentCommandRow).where(AgentCommandRow.id.in_(some), AgentCommandRow.status == PENDING)
    async with database.write() as session:
        ended = await session.scalars(
            give_up.values(status=TIMEOUT, completed_at=now).returning(AgentCommandRow.id),
            execution_options={"synchronize_session": False},
        )
        after_commit(session, partial(tasks.timed_out, len(ended.all())))
