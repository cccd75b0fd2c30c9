"""Commands: what people ask of an agent, fetched and acknowledged by it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.agents import CommandAcknowledge, CommandSend
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict, NotFound
from mutx.resources.agents.models import AgentCommandRow
from mutx.resources.agents.ownership import managed, owned
from mutx.resources.agents.tasks import TaskMetrics
from mutx.web.deps import after_commit

PENDING, SUCCEEDED, FAILED = "pending", "succeeded", "failed"
AT_MOST = 100


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
        )
        self._session.add(row)
        await self._session.flush()
        return row

    async def pending(self, agent_id: str, since: datetime | None) -> Sequence[AgentCommandRow]:
        """Oldest first; those taken after `since` only."""
        agent = await owned(self._session, self._caller, agent_id)
        query = select(AgentCommandRow).where(AgentCommandRow.agent_id == agent.id, AgentCommandRow.status == PENDING)
        if since is not None:
            query = query.where(AgentCommandRow.created_at > since)
        oldest = query.order_by(AgentCommandRow.created_at, AgentCommandRow.id).limit(AT_MOST)
        return (await self._session.scalars(oldest)).all()

    async def acknowledge(self, report: CommandAcknowledge, tasks: TaskMetrics) -> AgentCommandRow:
        """Once, and counted in `tasks`; a repeated acknowledgement that says the same is answered alike. Raises Conflict if it differs."""
        agent = await owned(self._session, self._caller, report.agent_id)
        row = await self._session.get(AgentCommandRow, report.command_id)
        if row is None or row.agent_id != agent.id:
            raise NotFound(f"no command {report.command_id} for this agent")
        status = SUCCEEDED if report.success else FAILED
        if row.status not in (PENDING, status):
            raise Conflict(f"this command is acknowledged as {row.status} already")
        if row.status == PENDING:
            row.status, row.result, row.error, row.completed_at = status, report.result, report.error, self._now
            after_commit(self._session, partial(tasks.completed, report.success, row.created_at, self._now))
        return row
