"""The agents API: what people do with agents."""

from uuid import UUID

from fastapi import APIRouter

from mutx.contract import agents as contract
from mutx.contract.agents import (
    Agent,
    AgentConfigUpdate,
    AgentConfiguration,
    AgentCreate,
    AgentHistory,
    AgentLiveness,
    AgentLogHistory,
    AgentMetricHistory,
    AgentRegister,
    AgentRegistered,
    Command,
    CommandSend,
    LogLevel,
)
from mutx.contract.base import Limit, Page, Skip
from mutx.resources.agents import agent_side
from mutx.resources.agents.commands import AgentCommands
from mutx.resources.agents.models import AgentRow
from mutx.resources.agents.reports import AgentReports
from mutx.resources.agents.service import Agents
from mutx.resources.api_keys.service import ApiKeys
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession
from mutx.web.serve import serve

router = APIRouter()


@serve(router, contract.list_agents)
async def list_agents(
    caller: CurrentCaller, session: ReadSession, app: AppServices, skip: Skip = 0, limit: Limit = 50
) -> Page[Agent]:
    rows, total = await Agents(session, caller, app.clock).list(skip, limit)
    return Page[Agent].of(rows, total, skip, limit)


@serve(router, contract.create_agent)
async def create_agent(caller: CurrentCaller, session: WriteSession, app: AppServices, body: AgentCreate) -> Agent:
    return Agent.model_validate(await Agents(session, caller, app.clock).create(body))


@serve(router, contract.register_agent)
async def register_agent(
    caller: CurrentCaller, session: WriteSession, app: AppServices, body: AgentRegister
) -> AgentRegistered:
    row = await Agents(session, caller, app.clock).register(body)
    made = await ApiKeys(session, caller, app.auth.secrets, app.clock).create_for_agent(row.id, f"agent {row.name}")
    message = "registered; keep the key, it is shown this once"
    return AgentRegistered(agent_id=row.id, api_key=made.key, status=row.status, message=message)


# Before the templates below: the router takes the first path that matches.
router.include_router(agent_side.router)


@serve(router, contract.get_agent)
async def get_agent(caller: CurrentCaller, session: ReadSession, app: AppServices, agent_id: UUID) -> Agent:
    return Agent.model_validate(await Agents(session, caller, app.clock).get(agent_id))


@serve(router, contract.delete_agent)
async def delete_agent(caller: CurrentCaller, session: WriteSession, app: AppServices, agent_id: UUID) -> None:
    await Agents(session, caller, app.clock).delete(agent_id)
    await app.revocations.revoke(session)


@serve(router, contract.get_agent_config)
async def get_agent_config(
    caller: CurrentCaller, session: ReadSession, app: AppServices, agent_id: UUID
) -> AgentConfiguration:
    return _configuration(await Agents(session, caller, app.clock).configuration(agent_id))


@serve(router, contract.update_agent_config)
async def update_agent_config(
    caller: CurrentCaller, session: WriteSession, app: AppServices, agent_id: UUID, body: AgentConfigUpdate
) -> AgentConfiguration:
    return _configuration(await Agents(session, caller, app.clock).configure(agent_id, body))


@serve(router, contract.get_agent_status)
async def get_agent_status(
    caller: CurrentCaller, session: ReadSession, app: AppServices, agent_id: UUID
) -> AgentLiveness:
    return await AgentReports(session, caller, app.clock).liveness(agent_id)


@serve(router, contract.list_agent_versions)
async def list_agent_versions(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    agent_id: UUID,
    skip: Skip = 0,
    limit: Limit = 50,
) -> AgentHistory:
    rows, total = await Agents(session, caller, app.clock).versions(agent_id, skip, limit)
    return AgentHistory.of(rows, total, skip, limit, agent_id=agent_id)


@serve(router, contract.list_agent_metrics)
async def list_agent_metrics(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    agent_id: UUID,
    skip: Skip = 0,
    limit: Limit = 100,
) -> AgentMetricHistory:
    rows, total = await AgentReports(session, caller, app.clock).metric_history(agent_id, skip, limit)
    return AgentMetricHistory.of(rows, total, skip, limit, agent_id=agent_id)


@serve(router, contract.list_agent_logs)
async def list_agent_logs(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    agent_id: UUID,
    skip: Skip = 0,
    limit: Limit = 100,
    level: LogLevel | None = None,
) -> AgentLogHistory:
    rows, total = await AgentReports(session, caller, app.clock).log_history(agent_id, skip, limit, level)
    return AgentLogHistory.of(rows, total, skip, limit, agent_id=agent_id)


@serve(router, contract.send_command)
async def send_command(
    caller: CurrentCaller, session: WriteSession, app: AppServices, agent_id: UUID, body: CommandSend
) -> Command:
    return agent_side.command(await AgentCommands(session, caller, app.clock).send(agent_id, body))


def _configuration(row: AgentRow) -> AgentConfiguration:
    fields = {name: getattr(row, name) for name in ("type", "config", "config_version", "updated_at")}
    return AgentConfiguration.model_validate({"agent_id": row.id, **fields})
