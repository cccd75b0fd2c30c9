"""The supervision API."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from mutx.contract import supervision as contract
from mutx.contract.base import Limit, Page, Skip
from mutx.contract.supervision import (
    AgentKill,
    AgentKillRequest,
    AgentOutput,
    Lines,
    SupervisedAgent,
    SupervisedAgentStartRequest,
    SupervisedAgentStopRequest,
    SupervisedLaunchProfileResponse,
    SupervisedStop,
    SupervisionStatus,
)
from mutx.contract.supervision import SupervisionState as State
from mutx.governance.types import Caller
from mutx.kit.errors import Unavailable
from mutx.resources.supervision.kills import Kills
from mutx.resources.supervision.models import SupervisedAgentRow
from mutx.resources.supervision.service import Supervision
from mutx.resources.supervision.waiting import settled
from mutx.services.faramesh_supervisor.logs import read_log
from mutx.services.faramesh_supervisor.supervisor import FarameshSupervisor
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, services
from mutx.web.serve import serve
from mutx.web.services import Services

router = APIRouter()


async def _supervisor(request: Request) -> FarameshSupervisor:
    found = services(request).supervisor
    if found is None:
        raise Unavailable("this control plane supervises nothing; start one with `mutx up`")
    return found


Supervisor = Annotated[FarameshSupervisor, Depends(_supervisor)]


@serve(router, contract.list_supervised)
async def list_supervised(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    supervisor: Supervisor,
    skip: Skip = 0,
    limit: Limit = 50,
) -> Page[SupervisedAgent]:
    items, total = await Supervision(session, caller, app.clock, supervisor, app.sealer).list(skip, limit)
    return Page[SupervisedAgent].of(items, total, skip, limit)


@serve(router, contract.get_supervision_status)
async def get_supervision_status(
    caller: CurrentCaller, session: ReadSession, app: AppServices, supervisor: Supervisor
) -> SupervisionStatus:
    config = supervisor.config
    return SupervisionStatus(
        enabled=config.enabled,
        running=supervisor.running,
        host_id=supervisor.host_id,
        governor="native" if config.faramesh_bin is None else "faramesh",
        socket_path=str(config.socket_path),
        agents=await Supervision(session, caller, app.clock, supervisor, app.sealer).counts(),
        auto_restart=config.auto_restart,
        max_restarts=config.max_restarts,
    )


@serve(router, contract.list_launch_profiles)
async def list_launch_profiles(
    caller: CurrentCaller, session: ReadSession, app: AppServices, supervisor: Supervisor
) -> list[SupervisedLaunchProfileResponse]:
    await Supervision(session, caller, app.clock, supervisor, app.sealer).require_internal()
    return [
        SupervisedLaunchProfileResponse(
            name=profile.name,
            command=list(profile.command),
            env_keys=sorted({*profile.env, *profile.env_keys}),
            faramesh_policy=profile.faramesh_policy,
        )
        for _, profile in sorted(supervisor.config.profiles.items())
    ]


@serve(router, contract.start_supervised)
async def start_supervised(
    caller: CurrentCaller, app: AppServices, supervisor: Supervisor, body: SupervisedAgentStartRequest
) -> SupervisedAgent:
    async with app.database.write() as session:
        await Supervision(session, caller, app.clock, supervisor, app.sealer).start(body)
    return await settled(app, caller, supervisor, body.agent_id, _has_begun)


@serve(router, contract.stop_supervised_agent)
async def stop_supervised_agent(
    caller: CurrentCaller, app: AppServices, supervisor: Supervisor, body: SupervisedStop
) -> SupervisedAgent:
    return await _stopped(app, caller, supervisor, body.agent_id, body.timeout)


@serve(router, contract.list_agent_kills)
async def list_agent_kills(
    caller: CurrentCaller, session: ReadSession, app: AppServices, skip: Skip = 0, limit: Limit = 50
) -> Page[AgentKill]:
    items, total = await Kills(session, caller, app.clock).list(skip, limit)
    return Page[AgentKill].of(items, total, skip, limit)


@serve(router, contract.get_supervised)
async def get_supervised(
    caller: CurrentCaller, session: ReadSession, app: AppServices, supervisor: Supervisor, agent_id: UUID
) -> SupervisedAgent:
    supervision = Supervision(session, caller, app.clock, supervisor, app.sealer)
    return await supervision.shown(await supervision.get(agent_id))


@serve(router, contract.list_supervised_logs)
async def list_supervised_logs(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    supervisor: Supervisor,
    agent_id: UUID,
    lines: Lines = 100,
) -> AgentOutput:
    row = await Supervision(session, caller, app.clock, supervisor, app.sealer).get(agent_id)
    if row.host_id not in (None, supervisor.host_id):
        raise Unavailable(f"what this agent prints lies with the control plane {row.host_id}; ask that one")
    items = await asyncio.to_thread(read_log, supervisor.log_path(row.agent_id), lines)
    return AgentOutput.model_validate({"agent_id": agent_id, "items": items})


@serve(router, contract.stop_supervised)
async def stop_supervised(
    caller: CurrentCaller,
    app: AppServices,
    supervisor: Supervisor,
    agent_id: UUID,
    body: SupervisedAgentStopRequest | None = None,
) -> SupervisedAgent:
    wanted = body or SupervisedAgentStopRequest()
    return await _stopped(app, caller, supervisor, agent_id, wanted.timeout)


@serve(router, contract.restart_supervised)
async def restart_supervised(
    caller: CurrentCaller, app: AppServices, supervisor: Supervisor, agent_id: UUID
) -> SupervisedAgent:
    async with app.database.write() as session:
        await Supervision(session, caller, app.clock, supervisor, app.sealer).restart(agent_id)
    return await settled(app, caller, supervisor, agent_id, _has_begun)


@serve(router, contract.kill_agent)
async def kill_agent(
    caller: CurrentCaller, app: AppServices, agent_id: UUID, body: AgentKillRequest | None = None
) -> AgentKill:
    async with app.revocations.unit() as session:
        row = await Kills(session, caller, app.clock).kill(agent_id, body.reason if body else "", app.revocations)
        if app.supervisor is not None:
            await Supervision(session, caller, app.clock, app.supervisor, app.sealer).put_down(agent_id)
        killed = AgentKill.model_validate(row)
    if app.supervisor is not None:
        app.supervisor.news.set()
    return killed


@serve(router, contract.revive_agent)
async def revive_agent(caller: CurrentCaller, app: AppServices, agent_id: UUID) -> None:
    async with app.revocations.unit() as session:
        await Kills(session, caller, app.clock).revive(agent_id, app.revocations)


async def _stopped(
    app: Services, caller: Caller, supervisor: FarameshSupervisor, agent_id: UUID, wanted: float | None
) -> SupervisedAgent:
    seconds = supervisor.config.shutdown_timeout if wanted is None else wanted
    async with app.database.write() as session:
        await Supervision(session, caller, app.clock, supervisor, app.sealer).stop(agent_id, seconds)
    return await settled(app, caller, supervisor, agent_id, lambda row: row.launch_id is None, seconds + 10.0)


def _has_begun(row: SupervisedAgentRow) -> bool:
    return row.state not in (State.STARTING, State.STOPPING)
