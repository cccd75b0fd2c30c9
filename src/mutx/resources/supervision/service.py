"""What it means to start and stop a supervised agent: what is wanted is written here, `reconcile` brings it about."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.supervision import SupervisedAgent, SupervisedAgentStartRequest
from mutx.contract.supervision import SupervisionState as State
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.kit.errors import Conflict, NotFound
from mutx.kit.ids import new_id
from mutx.resources.agents.ownership import managed, owned
from mutx.resources.supervision.internal import require_internal
from mutx.resources.supervision.kills import Kills
from mutx.resources.supervision.models import RUN, STAY_DOWN, SupervisedAgentRow
from mutx.services.faramesh_supervisor.supervisor import FarameshSupervisor
from mutx.services.faramesh_supervisor.validation import check
from mutx.services.identity.sealing import Sealer, place
from mutx.web.news import tell_audit

HEALTHY: Mapping[str, frozenset[str]] = {
    RUN: frozenset({State.RUNNING, State.STARTING}),
    STAY_DOWN: frozenset({State.STOPPED, State.STOPPING}),
}


class Supervision:
    """The supervised agents of the caller's workspace."""

    def __init__(
        self, session: AsyncSession, caller: Caller, clock: Clock, supervisor: FarameshSupervisor, sealer: Sealer
    ) -> None:
        self._session = session
        self._caller = caller
        self._now = to_datetime(clock.now())
        self._supervisor = supervisor
        self._sealer = sealer
        self._kills = Kills(session, caller, clock)

    async def list(self, skip: int, limit: int) -> tuple[list[SupervisedAgent], int]:
        await self.require_internal()
        total = await self._session.scalar(select(func.count()).select_from(self._mine().subquery()))
        newest = self._mine().order_by(SupervisedAgentRow.created_at.desc(), SupervisedAgentRow.id.desc())
        rows: Sequence[SupervisedAgentRow] = (await self._session.scalars(newest.offset(skip).limit(limit))).all()
        return [await self.shown(row) for row in rows], total or 0

    async def counts(self) -> dict[str, int]:
        await self.require_internal()
        mine = self._mine().subquery()
        found = await self._session.execute(select(mine.c.state, func.count()).group_by(mine.c.state))
        return {state: number for state, number in found.all()}  # noqa: C416 - rows, not pairs

    async def get(self, agent_id: UUID) -> SupervisedAgentRow:
        """Raises NotFound, PermissionDenied."""
        await owned(self._session, self._caller, agent_id)
        row = await self._session.scalar(self._mine().where(SupervisedAgentRow.agent_id == str(agent_id)))
        if row is None:
            raise NotFound(f"agent {agent_id} is not supervised; start it first")
        await self.require_internal()
        return row

    async def start(self, wanted: SupervisedAgentStartRequest) -> SupervisedAgentRow:
        """Raises NotFound, PermissionDenied, SupervisionValidationError, Conflict."""
        agent = await managed(self._session, self._caller, wanted.agent_id)
        await self.require_internal()
        await self._kills.require_alive(agent.id)
        config = self._supervisor.config
        runnable = check(config, wanted.command, wanted.profile, wanted.env, wanted.faramesh_policy)
        row = await self._session.scalar(self._mine().where(SupervisedAgentRow.agent_id == agent.id))
        if row is not None and (row.launch_id is not None or row.state in (State.STARTING, State.RESTARTING)):
            raise Conflict(f"this agent is {row.state} already; stop it first, or restart it")
        if row is None:
            row = SupervisedAgentRow(id=new_id(), workspace_id=agent.workspace_id, agent_id=agent.id)
            row.created_at, row.launch_id, row.pid, row.last_exit_code = self._now, None, None, None
            row.state, row.last_start_at, row.last_stop_at = State.STOPPED, None, None
            self._session.add(row)
        row.user_id = self._caller.user_id
        row.command, row.cwd, row.launch_profile = list(runnable.command), runnable.cwd, wanted.profile
        row.env = self._sealer.seal(json.dumps(wanted.env).encode(), context=place(row.__tablename__, "env", row.id))
        row.env_keys, row.faramesh_policy = sorted(runnable.env), runnable.policy
        row.restart_count = 0
        self._want_running(row)
        await self._tell("SUPERVISION_STARTED", row, command=row.command[0], profile=wanted.profile or "")
        return row

    async def stop(self, agent_id: UUID, seconds: float | None) -> SupervisedAgentRow:
        """TERM to KILL in `seconds`; None: the installation's. Stopping again is no mistake."""
        row = await self.get(agent_id)
        self.want_stopped(row, seconds)
        await self._tell("SUPERVISION_STOPPED", row)
        return row

    async def restart(self, agent_id: UUID) -> SupervisedAgentRow:
        row = await self.get(agent_id)
        await self._kills.require_alive(row.agent_id)
        if row.launch_id is not None:
            row.desired, row.restart_wanted, row.stop_seconds, row.failures = RUN, True, None, 0
            row.state, row.updated_at = State.STOPPING, self._now
        else:
            self._want_running(row)
        await self._tell("SUPERVISION_RESTARTED", row)
        return row

    async def put_down(self, agent_id: UUID) -> None:
        """Stop it at once, if it is supervised: for whoever kills it, whatever else they may."""
        row = await self._session.scalar(self._mine().where(SupervisedAgentRow.agent_id == str(agent_id)))
        if row is not None:
            self.want_stopped(row, 0.0)

    def want_stopped(self, row: SupervisedAgentRow, seconds: float | None) -> None:
        row.desired, row.restart_wanted, row.stop_seconds, row.next_start_at = STAY_DOWN, False, seconds, None
        row.updated_at = self._now
        if row.launch_id is not None:
            row.state = State.STOPPING
        elif row.state != State.STOPPED:
            row.state = State.STOPPED

    async def shown(self, row: SupervisedAgentRow) -> SupervisedAgent:
        killed = await self._kills.find(row.agent_id) is not None
        return SupervisedAgent(**row.facts(), healthy=row.state in HEALTHY[row.desired], killed=killed)

    async def require_internal(self) -> None:
        await require_internal(self._session, self._caller, self._supervisor.config.internal_domains)

    def _want_running(self, row: SupervisedAgentRow) -> None:
        """Under the control plane that is asked."""
        lease = self._supervisor.config.lease_seconds
        row.host_id, row.lease_until = self._supervisor.host_id, self._now + timedelta(seconds=lease) if lease else None
        row.desired, row.restart_wanted, row.stop_seconds = RUN, False, None
        row.state, row.failures, row.next_start_at, row.last_error = State.STARTING, 0, None, ""
        row.updated_at = self._now

    def _mine(self) -> Select[SupervisedAgentRow]:
        return select(SupervisedAgentRow).where(SupervisedAgentRow.workspace_id == self._caller.workspace_id)

    async def _tell(self, what: str, row: SupervisedAgentRow, **about: str) -> None:
        await self._session.flush()
        told = {"agent_id": row.agent_id, **about}
        await tell_audit(self._session, self._caller, self._now.timestamp(), what, **told)
