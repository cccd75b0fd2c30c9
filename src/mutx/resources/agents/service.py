"""What it means to create, configure and delete an agent."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.agent_configs import AgentType
from mutx.contract.agents import AgentConfigUpdate, AgentCreate, AgentRegister, AgentStatus
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import NotFound
from mutx.resources.agents.configs import complete, initial, merge_patch, read_config, snapshot
from mutx.resources.agents.models import AgentRow, AgentVersionRow
from mutx.resources.agents.ownership import managed, owned, visible
from mutx.web.news import tell_audit


class Agents:
    def __init__(self, session: AsyncSession, caller: Caller, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._now = to_datetime(clock.now())

    async def list(self, skip: int, limit: int) -> tuple[Sequence[AgentRow], int]:
        mine = visible(self._caller)
        total = await self._session.scalar(select(func.count()).select_from(mine.subquery()))
        newest = mine.order_by(AgentRow.created_at.desc(), AgentRow.id.desc())
        return (await self._session.scalars(newest.offset(skip).limit(limit))).all(), total or 0

    async def get(self, agent_id: UUID) -> AgentRow:
        return await owned(self._session, self._caller, agent_id)

    async def create(self, wanted: AgentCreate) -> AgentRow:
        config = initial(wanted.type, wanted.config)
        return await self._add(wanted.name, wanted.description, wanted.type, AgentStatus.CREATING, config, {})

    async def register(self, wanted: AgentRegister) -> AgentRow:
        """An agent that somebody runs already. Its key is made beside it, by `ApiKeys.create_for_agent`."""
        details = {"metadata": wanted.metadata, "capabilities": wanted.capabilities}
        row = await self._add(wanted.name, wanted.description, AgentType.CUSTOM, AgentStatus.RUNNING, None, details)
        row.last_heartbeat = row.running_since = self._now
        await self._session.flush()
        return row

    async def delete(self, agent_id: UUID) -> None:
        """With versions, metrics, logs, commands and keys: they fall with it by their foreign keys."""
        row = await managed(self._session, self._caller, agent_id)
        await self._session.delete(row)
        await self._tell("AGENT_DELETED", row)

    async def configuration(self, agent_id: UUID) -> AgentRow:
        """Raises NotFound while the agent has none."""
        row = await self.get(agent_id)
        if row.config is None:
            raise NotFound(f"agent {agent_id} has no configuration yet; PATCH its config to give it one")
        return row

    async def configure(self, agent_id: UUID, wanted: AgentConfigUpdate) -> AgentRow:
        row = await managed(self._session, self._caller, agent_id)
        version = row.config_version + (row.config is not None)
        merged = merge_patch(row.config, read_config(wanted.config))
        row.config, row.config_version = complete(AgentType(row.type), merged, version), version
        row.updated_at = self._now
        self._session.add(self._version(row, row.config))
        await self._tell("AGENT_CONFIGURED", row)
        return row

    async def versions(self, agent_id: UUID, skip: int, limit: int) -> tuple[Sequence[AgentVersionRow], int]:
        row = await self.get(agent_id)
        mine = select(AgentVersionRow).where(AgentVersionRow.agent_id == row.id)
        total = await self._session.scalar(select(func.count()).select_from(mine.subquery()))
        newest = mine.order_by(AgentVersionRow.version.desc())
        return (await self._session.scalars(newest.offset(skip).limit(limit))).all(), total or 0

    async def _add(
        self,
        name: str,
        description: str | None,
        agent_type: AgentType,
        status: AgentStatus,
        config: dict[str, Any] | None,
        details: dict[str, Any],
    ) -> AgentRow:
        row = AgentRow(
            workspace_id=self._caller.workspace_id,
            user_id=self._caller.user_id,
            name=name,
            description=description,
            type=agent_type,
            status=status,
            config=config,
            config_version=1,
            details=details,
            created_at=self._now,
            updated_at=self._now,
        )
        self._session.add(row)
        await self._session.flush()
        if config is not None:
            self._session.add(self._version(row, config))
        await self._tell("AGENT_CREATED", row)
        return row

    async def _tell(self, what: str, row: AgentRow) -> None:
        await self._session.flush()
        about = {"agent_id": row.id, "name": row.name, "config_version": str(row.config_version)}
        await tell_audit(self._session, self._caller, self._now.timestamp(), what, **about)

    def _version(self, row: AgentRow, config: dict[str, Any]) -> AgentVersionRow:
        return AgentVersionRow(
            workspace_id=row.workspace_id,
            agent_id=row.id,
            version=row.config_version,
            config_snapshot=snapshot(config),
            status="active",
            created_at=self._now,
        )
