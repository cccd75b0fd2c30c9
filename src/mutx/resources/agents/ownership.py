"""Whose agents a caller may touch: those of the workspace; an agent's own key only that agent."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.limits import forbidden
from mutx.governance.types import Caller, LimitedVerb
from mutx.kit.errors import NotFound, PermissionDenied
from mutx.resources.agents.models import AgentRow


def visible(caller: Caller) -> Select[AgentRow]:
    query = select(AgentRow).where(AgentRow.workspace_id == caller.workspace_id)
    return query if caller.agent_id is None else query.where(AgentRow.id == caller.agent_id)


async def managed(session: AsyncSession, caller: Caller, agent_id: UUID | str) -> AgentRow:
    """The agent, for whoever may configure, command or delete it. Raises NotFound, PermissionDenied."""
    row = await owned(session, caller, agent_id)
    if forbidden(caller.limits, LimitedVerb.MANAGE, row.id) is not None:
        raise PermissionDenied("a permission of this workspace keeps you from managing this agent")
    return row


async def owned(session: AsyncSession, caller: Caller, agent_id: UUID | str) -> AgentRow:
    """The agent. Raises NotFound alike for one that is missing and one that is somebody else's."""
    row = await session.scalar(visible(caller).where(AgentRow.id == str(agent_id)))
    if row is None:
        raise NotFound(f"no agent {agent_id}")
    return row
