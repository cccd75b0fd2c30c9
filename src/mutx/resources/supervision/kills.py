"""The kill switch: an agent that is killed is denied everything, at every door and on every replica, until it is revived."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.governance.types import AccessLimit, Caller, LimitedVerb
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict
from mutx.resources.agents.ownership import owned
from mutx.resources.supervision.models import AgentKillRow
from mutx.web.news import tell_audit
from mutx.web.revocation import Revocations

LIMIT_ID = "kill-switch"


class Kills:
    """Those of the caller's workspace."""

    def __init__(self, session: AsyncSession, caller: Caller, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._now = to_datetime(clock.now())

    async def list(self, skip: int, limit: int) -> tuple[Sequence[AgentKillRow], int]:
        mine = self._mine()
        total = await self._session.scalar(select(func.count()).select_from(mine.subquery()))
        newest = mine.order_by(AgentKillRow.killed_at.desc(), AgentKillRow.id.desc())
        return (await self._session.scalars(newest.offset(skip).limit(limit))).all(), total or 0

    async def find(self, agent_id: str) -> AgentKillRow | None:
        found: AgentKillRow | None = await self._session.scalar(self._mine().where(AgentKillRow.agent_id == agent_id))
        return found

    async def require_alive(self, agent_id: str) -> None:
        """Raises Conflict for an agent that is killed."""
        if await self.find(agent_id) is not None:
            raise Conflict("the kill switch of this agent is on; revive it before you start it")

    async def kill(self, agent_id: UUID, reason: str, revocations: Revocations) -> AgentKillRow:
        """Once; killing again changes nothing."""
        agent = await owned(self._session, self._caller, agent_id)
        row = await self.find(agent.id)
        if row is not None:
            return row
        row = AgentKillRow(
            workspace_id=agent.workspace_id,
            agent_id=agent.id,
            reason=reason,
            killed_by=self._caller.user_id,
            killed_at=self._now,
        )
        self._session.add(row)
        await self._session.flush()
        await self._tell("AGENT_KILLED", agent.id, reason=reason)
        await revocations.revoke(self._session)
        return row

    async def revive(self, agent_id: UUID, revocations: Revocations) -> None:
        """Also one that was deleted since; one that is not killed stays as it is."""
        row = await self.find(str(agent_id))
        if row is None:
            await owned(self._session, self._caller, agent_id)
            return
        await self._session.delete(row)
        await self._tell("AGENT_REVIVED", row.agent_id)
        await revocations.revoke(self._session)

    def _mine(self) -> Select[AgentKillRow]:
        return select(AgentKillRow).where(AgentKillRow.workspace_id == self._caller.workspace_id)

    async def _tell(self, what: str, agent_id: str, **about: str) -> None:
        await self._session.flush()
        await tell_audit(self._session, self._caller, self._now.timestamp(), what, agent_id=agent_id, **about)


async def kill_limits(session: AsyncSession, workspace_id: str) -> tuple[AccessLimit, ...]:
    """A denial for each agent that is killed: whoever calls, nothing is done in its name."""
    query = select(AgentKillRow.agent_id).where(AgentKillRow.workspace_id == workspace_id)
    killed = (await session.scalars(query.order_by(AgentKillRow.agent_id))).all()
    return tuple(AccessLimit(LIMIT_ID, False, LimitedVerb.ACT, agent_id, "*") for agent_id in killed)
