"""The agents API: what an agent does for itself, with its own key or its owner's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from mutx.contract import agents as contract
from mutx.contract.agents import (
    AgentId,
    Command,
    CommandAcknowledge,
    CommandAcknowledged,
    CommandList,
    Heartbeat,
    HeartbeatTaken,
    LogReport,
    MetricReport,
    Taken,
)
from mutx.contract.base import Timestamp
from mutx.resources.agents.commands import AgentCommands
from mutx.resources.agents.models import AgentCommandRow
from mutx.resources.agents.reports import AgentReports
from mutx.resources.agents.tasks import TaskMetrics
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession
from mutx.web.serve import serve

router = APIRouter()


async def _tasks(request: Request) -> TaskMetrics:
    found = request.app.state.tasks
    assert isinstance(found, TaskMetrics)
    return found


Tasks = Annotated[TaskMetrics, Depends(_tasks)]


@serve(router, contract.send_heartbeat)
async def send_heartbeat(
    caller: CurrentCaller, session: WriteSession, app: AppServices, body: Heartbeat
) -> HeartbeatTaken:
    row = await AgentReports(session, caller, app.clock).heartbeat(body)
    return HeartbeatTaken.model_validate({"status": "ok", "agent_id": row.id, "timestamp": row.last_heartbeat})


@serve(router, contract.report_metrics)
async def report_metrics(caller: CurrentCaller, session: WriteSession, app: AppServices, body: MetricReport) -> Taken:
    row = await AgentReports(session, caller, app.clock).metrics(body)
    return Taken(status="ok", agent_id=row.id)


@serve(router, contract.report_log)
async def report_log(caller: CurrentCaller, session: WriteSession, app: AppServices, body: LogReport) -> Taken:
    row = await AgentReports(session, caller, app.clock).log(body)
    return Taken(status="ok", agent_id=row.id)


@serve(router, contract.list_commands)
async def list_commands(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    agent_id: AgentId,
    since: Timestamp | None = None,
) -> CommandList:
    rows = await AgentCommands(session, caller, app.clock).pending(agent_id, since)
    return CommandList(commands=[command(row) for row in rows])


@serve(router, contract.acknowledge_command)
async def acknowledge_command(
    caller: CurrentCaller, session: WriteSession, app: AppServices, tasks: Tasks, body: CommandAcknowledge
) -> CommandAcknowledged:
    row = await AgentCommands(session, caller, app.clock).acknowledge(body, tasks)
    return CommandAcknowledged(status=row.status, command_id=row.id)


def command(row: AgentCommandRow) -> Command:
    return Command(
        command_id=row.id,
        action=row.action,
        parameters=row.parameters,
        received_at=row.created_at,
        expires_at=row.expires_at,
    )
