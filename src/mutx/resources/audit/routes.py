"""Routes of `contract.audit`."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.sse import ServerSentEvent

from mutx.contract import audit as contract
from mutx.contract.audit import AuditEvents, AuditExport
from mutx.contract.base import Limit, Skip, Timestamp
from mutx.resources.audit.follow import follow
from mutx.resources.audit.query import AuditQuery
from mutx.resources.audit.service import AuditLog
from mutx.web.deps import AppServices, CurrentCaller, ReadSession
from mutx.web.serve import serve

router = APIRouter()


@serve(router, contract.list_audit_events)
async def list_audit_events(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    agent_id: str | None = None,
    session_id: str | None = None,
    run_id: str | None = None,
    time_range_start: Timestamp | None = None,
    time_range_end: Timestamp | None = None,
    event_type: str | None = None,
    limit: Limit = 100,
    skip: Skip = 0,
) -> AuditEvents:
    which = AuditQuery(
        agent_id=agent_id,
        session_id=session_id,
        run_id=run_id,
        event_type=event_type,
        since=time_range_start,
        until=time_range_end,
    )
    events, total = await AuditLog(app.ledger, session, app.keys, caller).page(which, skip, limit)
    return AuditEvents(events=list(events), total=total)


@serve(router, contract.export_audit)
async def export_audit(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    run_id: str | None = None,
    session_id: str | None = None,
) -> AuditExport:
    return await AuditLog(app.ledger, session, app.keys, caller).export(session_id, run_id)


@serve(router, contract.stream_audit_events)
async def stream_audit_events(
    caller: CurrentCaller, app: AppServices, after: Timestamp | None = None
) -> AsyncIterator[ServerSentEvent]:
    async for event in follow(app, caller, after):
        yield event


@serve(router, contract.get_audit_trace)
async def get_audit_trace(caller: CurrentCaller, session: ReadSession, app: AppServices, trace_id: str) -> AuditEvents:
    events = await AuditLog(app.ledger, session, app.keys, caller).trace(trace_id)
    return AuditEvents(events=list(events), total=len(events))
