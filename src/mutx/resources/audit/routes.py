"""Routes of `contract.audit`."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.sse import ServerSentEvent

from mutx.contract import audit as contract
from mutx.contract.audit import AuditEvents, AuditExport, AuditFormat, AuditReport, AuditReported, RecordLimit
from mutx.contract.base import Limit, Skip, Timestamp
from mutx.resources.audit.changes import AuditChanges
from mutx.resources.audit.evidence import AuditEvidence, EvidenceWanted
from mutx.resources.audit.follow import follow
from mutx.resources.audit.query import AuditQuery
from mutx.resources.audit.service import AuditLog
from mutx.services.siem.formats import SiemFormat, formatter
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
    events, total = await AuditLog(app.ledger, session, app.keys, app.sealer, caller).page(which, skip, limit)
    return AuditEvents(events=list(events), total=total)


@serve(router, contract.export_audit)
async def export_audit(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    run_id: str | None = None,
    session_id: str | None = None,
) -> AuditExport:
    return await AuditLog(app.ledger, session, app.keys, app.sealer, caller).export(session_id, run_id)


@serve(router, contract.stream_audit_events)
async def stream_audit_events(
    caller: CurrentCaller, app: AppServices, after: Timestamp | None = None
) -> AsyncIterator[ServerSentEvent]:
    async for event in follow(app, caller, after):
        yield event


@serve(router, contract.get_audit_trace)
async def get_audit_trace(caller: CurrentCaller, session: ReadSession, app: AppServices, trace_id: str) -> AuditEvents:
    events = await AuditLog(app.ledger, session, app.keys, app.sealer, caller).trace(trace_id)
    return AuditEvents(events=list(events), total=len(events))


@serve(router, contract.report_audit_event)
async def report_audit_event(caller: CurrentCaller, app: AppServices, body: AuditReport) -> AuditReported:
    return AuditReported(event_id=await AuditChanges(app.database, app.ledger, caller, app.clock).report(body))


@serve(router, contract.export_evidence)
async def export_evidence(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    session_id: str | None = None,
    time_range_start: Timestamp | None = None,
    time_range_end: Timestamp | None = None,
) -> str:
    wanted = EvidenceWanted(session_id=session_id, since=time_range_start, until=time_range_end)
    evidence = AuditEvidence(app.ledger, session, app.keys, app.sealer, app.signer, caller)
    return (await evidence.write(wanted, app.clock.now())).decode()


@serve(router, contract.export_records)
async def export_records(
    caller: CurrentCaller,
    session: ReadSession,
    app: AppServices,
    format: AuditFormat = AuditFormat.OCSF,  # noqa: A002 - its name on the wire
    agent_id: str | None = None,
    session_id: str | None = None,
    run_id: str | None = None,
    time_range_start: Timestamp | None = None,
    time_range_end: Timestamp | None = None,
    event_type: str | None = None,
    limit: RecordLimit = 1000,
) -> str:
    which = AuditQuery(
        agent_id=agent_id,
        session_id=session_id,
        run_id=run_id,
        event_type=event_type,
        since=time_range_start,
        until=time_range_end,
    )
    events, _ = await AuditLog(app.ledger, session, app.keys, app.sealer, caller).page(which, 0, limit)
    write = formatter(SiemFormat(format.value))
    return "".join(f"{write(event, caller.workspace_id)}\n" for event in reversed(events))


@serve(router, contract.erase_audit_event)
async def erase_audit_event(caller: CurrentCaller, app: AppServices, event_id: str) -> None:
    await AuditChanges(app.database, app.ledger, caller, app.clock).erase(event_id)
