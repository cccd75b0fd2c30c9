"""Routes of `contract.mcp`. What the proxy asks writes only when something is new, so it takes no session."""

from uuid import UUID

from fastapi import APIRouter

from mutx.contract import mcp as contract
from mutx.contract.base import Limit, Page, Skip
from mutx.contract.mcp import (
    McpCaller,
    McpCheck,
    McpObservation,
    McpStandings,
    McpTool,
    McpToolDetail,
    McpToolSchemas,
    McpVerdict,
    PinState,
)
from mutx.governance.types import Caller
from mutx.resources.mcp.service import McpTools
from mutx.resources.mcp.standing import Standings
from mutx.resources.mcp.watching import Sightings
from mutx.services.mcp.scanning import PatternScanner
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession
from mutx.web.serve import serve
from mutx.web.services import Services

router = APIRouter()


def _standings(app: Services, caller: Caller) -> Standings:
    return Standings(Sightings(app.database, app.clock, caller, PatternScanner()), app.policies, caller)


@serve(router, contract.observe_mcp_tools)
async def observe_mcp_tools(caller: CurrentCaller, app: AppServices, body: McpObservation) -> McpStandings:
    return await _standings(app, caller).observe(body)


@serve(router, contract.check_mcp_tool)
async def check_mcp_tool(caller: CurrentCaller, app: AppServices, body: McpCheck) -> McpVerdict:
    return await _standings(app, caller).check(body)


@serve(router, contract.get_mcp_caller)
async def get_mcp_caller(caller: CurrentCaller) -> McpCaller:
    return McpCaller.model_validate(caller)


@serve(router, contract.list_mcp_tools)
async def list_mcp_tools(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    state: PinState | None = None,
    server: str | None = None,
    skip: Skip = 0,
    limit: Limit = 50,
) -> Page[McpTool]:
    items, total = await McpTools(session, caller, app.clock).page(state, server, skip, limit)
    return Page[McpTool].of(items, total, skip, limit)


@serve(router, contract.export_mcp_schemas)
async def export_mcp_schemas(
    caller: CurrentCaller, session: ReadSession, app: AppServices, server: str | None = None
) -> McpToolSchemas:
    return McpToolSchemas(document=await McpTools(session, caller, app.clock).schemas(server))


@serve(router, contract.get_mcp_tool)
async def get_mcp_tool(caller: CurrentCaller, session: ReadSession, app: AppServices, tool_id: UUID) -> McpToolDetail:
    return await McpTools(session, caller, app.clock).get(tool_id)


@serve(router, contract.approve_mcp_tool)
async def approve_mcp_tool(
    caller: CurrentCaller, session: WriteSession, app: AppServices, tool_id: UUID
) -> McpToolDetail:
    return await McpTools(session, caller, app.clock).approve(tool_id)


@serve(router, contract.quarantine_mcp_tool)
async def quarantine_mcp_tool(
    caller: CurrentCaller, session: WriteSession, app: AppServices, tool_id: UUID
) -> McpToolDetail:
    return await McpTools(session, caller, app.clock).quarantine(tool_id)
