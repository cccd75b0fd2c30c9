"""What agents say of themselves: that they live, what they use, what they log."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.agents import AgentLiveness, AgentStatus, Heartbeat, LogLevel, LogReport, MetricReport
from mutx.governance.types import Caller
from mutx.kit.clock import Clock, to_datetime
from mutx.resources.agents.models import AgentLogRow, AgentMetricRow, AgentRow
from mutx.resources.agents.ownership import owned
from mutx.web.news import tell_audit

RowT = TypeVar("RowT", AgentMetricRow, AgentLogRow)


class AgentReports:
    def __init__(self, session: AsyncSession, caller: Caller, clock: Clock) -> None:
        self._session = session
        self._caller = caller
        self._now = to_datetime(clock.now())

    async def heartbeat(self, report: Heartbeat) -> AgentRow:
        row = await owned(self._session, self._caller, report.agent_id)
        said = report.model_dump(include={"message", "platform", "hostname"}, exclude_none=True)
        runs = report.status is AgentStatus.RUNNING
        ran = row.status == AgentStatus.RUNNING and row.running_since is not None
        if runs is not ran:
            what = "AGENT_START" if runs else "AGENT_END"
            about = {"agent_id": row.id, "status": report.status.value}
            await tell_audit(self._session, self._caller, self._now.timestamp(), what, **about)
        if runs and not ran:
            row.running_since = self._now
        if not runs:
            row.running_since = None
        row.status, row.last_heartbeat = report.status, self._now
        row.details = {**row.details, **said}
        return row

    async def liveness(self, agent_id: UUID) -> AgentLiveness:
        row = await owned(self._session, self._caller, agent_id)
        uptime = (self._now - row.running_since).total_seconds() if row.running_since is not None else 0.0
        return AgentLiveness(
            agent_id=row.id,
            status=AgentStatus(row.status),
            last_heartbeat=row.last_heartbeat,
            uptime_seconds=uptime,
            paused_since=row.paused_since,
        )

    async def metrics(self, report: MetricReport) -> AgentRow:
        row = await owned(self._session, self._caller, report.agent_id)
        values = report.model_dump(exclude={"agent_id", "timestamp"})
        self._session.add(AgentMetricRow(workspace_id=row.workspace_id, agent_id=row.id, timestamp=self._now, **values))
        return row

    async def log(self, report: LogReport) -> AgentRow:
        row = await owned(self._session, self._caller, report.agent_id)
        self._session.add(
            AgentLogRow(
                workspace_id=row.workspace_id,
                agent_id=row.id,
                level=report.level,
                message=report.message,
                extra_data=json.dumps(report.metadata) if report.metadata else None,
                timestamp=self._now,
            )
        )
        return row

    async def metric_history(self, agent_id: UUID, skip: int, limit: int) -> tuple[Sequence[AgentMetricRow], int]:
        row = await owned(self._session, self._caller, agent_id)
        return await self._history(select(AgentMetricRow).where(AgentMetricRow.agent_id == row.id), skip, limit)

    async def log_history(
        self, agent_id: UUID, skip: int, limit: int, level: LogLevel | None
    ) -> tuple[Sequence[AgentLogRow], int]:
        row = await owned(self._session, self._caller, agent_id)
        query = select(AgentLogRow).where(AgentLogRow.agent_id == row.id)
        return await self._history(query if level is None else query.where(AgentLogRow.level == level), skip, limit)

    async def _history(self, query: Select[RowT], skip: int, limit: int) -> tuple[Sequence[RowT], int]:
        total = await self._session.scalar(select(func.count()).select_from(query.subquery()))
        columns: Any = query.selected_columns
        newest = query.order_by(columns.timestamp.desc(), columns.id.desc())
        return (await self._session.scalars(newest.offset(skip).limit(limit))).all(), total or 0
