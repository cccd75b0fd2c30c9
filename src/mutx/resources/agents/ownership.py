"""Whose agents a caller may touch: those of the workspace; an agent's own key only that agent."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.types import Caller
from mutx.kit.errors import NotFound
from mutx.resources.agents.models import AgentRow


def visible(caller: Caller) -> Select[AgentRow]:
    query = select(AgentRow).where(AgentRow.workspace_id == caller.workspace_id)
    return query if caller.agent_id is None else query.where(AgentRow.id == caller.agent_id)


async def owned(session: AsyncSession, caller: Caller, agent_id: UUID | str) -> AgentRow:
    """The agent. Raises NotFound alike for one that is missing and one that is somebody else's."""
    row = await session.scalar(visible(caller).where(AgentRow.id == str(agent_id)))
    if row is None:
        raise NotFound(f"no agent {agent_id}")
    return row
