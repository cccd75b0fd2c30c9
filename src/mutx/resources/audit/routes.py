"""Routes of `contract.audit`."""

from fastapi import APIRouter

from mutx.contract import audit as contract
from mutx.contract.audit import AuditEvents, AuditExport
from mutx.contract.base import Limit, Skip, Timestamp
from mutx.resources.audit.service import AuditLog, AuditQuery, audit_event
from mutx.web.deps import CurrentCaller, ReadSession
from mutx.web.serve import serve

router = APIRouter()


@serve(router, contract.list_audit_events)
async def list_audit_events(
    caller: CurrentCaller,
    session: ReadSession,
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
    rows, total = await AuditLog(session, caller).page(which, skip, limit)
    return AuditEvents(events=[audit_event(row) for row in rows], total=total)


@serve(router, contract.export_audit)
async def export_audit(
    caller: CurrentCaller, session: ReadSession, run_id: str | None = None, session_id: str | None = None
) -> AuditExport:
    return await AuditLog(session, caller).export(AuditQuery(run_id=run_id, session_id=session_id))


@serve(router, contract.get_audit_trace)
async def get_audit_trace(caller: CurrentCaller, session: ReadSession, trace_id: str) -> AuditEvents:
    rows = await AuditLog(session, caller).trace(trace_id)
    return AuditEvents(events=[audit_event(row) for row in rows], total=len(rows))
