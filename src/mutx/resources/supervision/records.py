"""What is written of a supervised agent as its process comes and goes. Each of these is part of a unit of work."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.agents import AgentStatus
from mutx.contract.supervision import SupervisionState as State
from mutx.governance.types import Caller, Door, PrincipalKind
from mutx.kit.clock import to_datetime
from mutx.resources.agents.models import AgentRow
from mutx.resources.supervision.models import RUN, SupervisedAgentRow
from mutx.services.faramesh_supervisor.config import SupervisionConfig
from mutx.services.faramesh_supervisor.keeper import Report
from mutx.services.faramesh_supervisor.states import after_end, moved
from mutx.web.news import tell_audit

STATUS = {State.RUNNING: AgentStatus.RUNNING, State.STOPPED: AgentStatus.STOPPED, State.FAILED: AgentStatus.FAILED}
MAX_ERROR = 1000


class Records:
    """`now` is one moment of one unit of work."""

    def __init__(self, session: AsyncSession, config: SupervisionConfig, now: float) -> None:
        self._session = session
        self._config = config
        self._now = now
        self._at = to_datetime(now)

    async def running(self, row: SupervisedAgentRow, pid: int) -> None:
        """Its process is there."""
        row.pid, row.last_error, row.next_start_at = pid, "", None
        row.last_start_at = self._at
        if row.state == State.STARTING:  # otherwise somebody wants it stopped by now
            await self._move(row, State.RUNNING)
        await self._tell("AGENT_START", row, pid=str(pid))

    async def ended(self, row: SupervisedAgentRow, report: Report | None) -> State:
        """Its process is gone. Returns what becomes of it."""
        exit_code = report.exit_code if report is not None else None
        asked = report is not None and report.reason != ""
        row.launch_id, row.pid, row.last_exit_code, row.last_stop_at = None, None, exit_code, self._at
        await self._tell("AGENT_END", row, exit_code=str(exit_code))
        if row.desired != RUN:
            await self._move(row, State.STOPPED)
        elif row.restart_wanted or asked:  # asked for by nobody but the control plane itself, as it stopped
            row.restart_wanted = False
            await self._move(row, State.STOPPED)
            await self._move(row, State.STARTING)
        else:
            await self._crashed(row, exit_code, "")
        return State(row.state)

    async def not_started(self, row: SupervisedAgentRow, error: str, *, final: bool) -> None:
        """Nothing came of a start. `final`: trying again would not help."""
        row.launch_id, row.pid, row.last_error = None, None, error[:MAX_ERROR]
        if row.desired != RUN:
            await self._move(row, State.STOPPED)
        elif final:
            await self._move(row, State.FAILED)
        else:
            await self._crashed(row, None, error)

    async def _crashed(self, row: SupervisedAgentRow, exit_code: int | None, error: str) -> None:
        ran = self._now - row.last_start_at.timestamp() if row.last_start_at is not None and not error else 0.0
        verdict = after_end(exit_code, ran, row.failures, self._config)
        row.failures = verdict.failures
        if verdict.state is State.STOPPED:  # it has done what it was there for
            row.desired = State.STOPPED.value
            await self._move(row, State.STOPPED)
            return
        await self._move(row, State.FAILED)
        row.last_error = error[:MAX_ERROR] or _told(exit_code)
        if verdict.delay is not None:
            row.next_start_at = to_datetime(self._now + verdict.delay)
            row.restart_count += 1
            await self._move(row, State.RESTARTING)
        await self._tell("SUPERVISION_CRASHED", row, exit_code=str(exit_code), failures=str(row.failures))

    async def _move(self, row: SupervisedAgentRow, to: State) -> None:
        if row.state != to:
            row.state = moved(State(row.state), to)
        row.updated_at = self._at
        agent = await self._session.get(AgentRow, row.agent_id)
        if agent is not None and to in STATUS:
            agent.status = STATUS[to]
            agent.running_since = self._at if to is State.RUNNING else None

    async def _tell(self, what: str, row: SupervisedAgentRow, **about: str) -> None:
        await self._session.flush()
        told = {"agent_id": row.agent_id, **about}
        await tell_audit(self._session, by_itself(row), self._now, what, **told)


def by_itself(row: SupervisedAgentRow) -> Caller:
    """The supervisor, as who does this in the agent's workspace."""
    return Caller(
        workspace_id=row.workspace_id,
        principal_id="supervisor",
        kind=PrincipalKind.SYSTEM,
        door=Door.EMBEDDED,
        user_id=row.user_id,
    )


def due(row: SupervisedAgentRow, now: datetime) -> bool:
    """Whether it is to be started now."""
    if row.desired != RUN or row.launch_id is not None:
        return False
    if row.state == State.RESTARTING:
        return row.next_start_at is None or row.next_start_at <= now
    return row.state in (State.STARTING, State.STOPPED)


def _told(exit_code: int | None) -> str:
    if exit_code is None:
        return "its process was gone, and nobody saw how it ended"
    if exit_code < 0:
        return f"it was ended by signal {-exit_code}"
    return f"it ended with status {exit_code}"
