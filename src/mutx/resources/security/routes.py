"""Routes of `contract.security`. No write session: the ledger does its own writing."""

from fastapi import APIRouter

from mutx.contract import security as contract
from mutx.contract.base import Limit, Page, Skip
from mutx.contract.security import (
    ActionEvaluateRequest,
    ActionEvaluateResponse,
    ComplianceReport,
    PublicKeyRecord,
    PublicKeys,
    ReceiptView,
    SecurityApproval,
    SecurityApprovalAction,
    SecurityApprovalCreate,
    SecurityApprovalOutcome,
    SecurityMetrics,
    SessionClosed,
    SessionCreated,
    SessionItem,
    SessionReceipts,
    SessionSummary,
)
from mutx.governance.export import export_receipts
from mutx.governance.turn import Verdict
from mutx.governance.types import Caller
from mutx.kit.clock import rfc3339
from mutx.resources.approvals.service import Approvals
from mutx.resources.approvals.views import lower
from mutx.resources.security.compliance import assess, compliance_view
from mutx.resources.security.evaluate import approval_view, asked_call, evaluate_answer, evaluated_call
from mutx.resources.security.metrics import exposition, mean_latency_ms
from mutx.resources.security.receipts import receipt_view
from mutx.resources.security.service import SecurityRecords
from mutx.web.deps import AppServices, CurrentCaller
from mutx.web.serve import serve
from mutx.web.services import Services

router = APIRouter()


def _approvals(app: Services, caller: Caller) -> Approvals:
    return Approvals(app.pipeline, app.ledger, caller)


def _records(app: Services, caller: Caller) -> SecurityRecords:
    return SecurityRecords(app.ledger, caller)


@serve(router, contract.evaluate_action)
async def evaluate_action(
    caller: CurrentCaller, app: AppServices, body: ActionEvaluateRequest
) -> ActionEvaluateResponse:
    return evaluate_answer(await app.pipeline.decide(evaluated_call(body), caller), app.clock.now())


@serve(router, contract.request_security_approval)
async def request_security_approval(
    caller: CurrentCaller, app: AppServices, body: SecurityApprovalCreate
) -> SecurityApproval:
    asked = await _approvals(app, caller).ask(asked_call(body), seconds=body.timeout_minutes * 60.0)
    return approval_view(asked, app.clock.now())


@serve(router, contract.list_security_approvals)
async def list_security_approvals(
    caller: CurrentCaller, app: AppServices, skip: Skip = 0, limit: Limit = 50
) -> list[SecurityApproval]:
    now = app.clock.now()
    return [approval_view(request, now) for request in await _approvals(app, caller).waiting(skip, limit)]


@serve(router, contract.get_security_approval)
async def get_security_approval(caller: CurrentCaller, app: AppServices, request_id: str) -> SecurityApproval:
    return approval_view(await _approvals(app, caller).get(request_id), app.clock.now())


@serve(router, contract.approve_security_approval)
async def approve_security_approval(
    caller: CurrentCaller, app: AppServices, token: str, body: SecurityApprovalAction
) -> SecurityApprovalOutcome:
    return await _resolve(app, caller, token, Verdict.APPROVE, body)


@serve(router, contract.deny_security_approval)
async def deny_security_approval(
    caller: CurrentCaller, app: AppServices, token: str, body: SecurityApprovalAction
) -> SecurityApprovalOutcome:
    return await _resolve(app, caller, token, Verdict.DENY, body)


async def _resolve(
    app: Services, caller: Caller, token: str, verdict: Verdict, body: SecurityApprovalAction
) -> SecurityApprovalOutcome:
    resolved = await _approvals(app, caller).resolve(token, verdict, comment=body.comment, reviewer=body.reviewer)
    return SecurityApprovalOutcome(status=lower(resolved.status), request_id=resolved.id)


@serve(router, contract.export_session_receipts)
async def export_session_receipts(caller: CurrentCaller, app: AppServices, session_id: str, values: bool = True) -> str:
    turns = await _records(app, caller).whole_session(session_id)
    receipts = [(turn.receipt.envelope, turn.sealed if values else None) for turn in turns]
    return export_receipts(receipts, keys=app.keys, signer=app.signer, at=app.clock.now()).decode()


@serve(router, contract.list_session_receipts)
async def list_session_receipts(
    caller: CurrentCaller, app: AppServices, session_id: str, limit: Limit = 100, after: Skip = 0
) -> SessionReceipts:
    turns = await _records(app, caller).session_receipts(session_id, after, limit)
    return SessionReceipts(session_id=session_id, count=len(turns), receipts=[receipt_view(turn) for turn in turns])


@serve(router, contract.get_receipt)
async def get_receipt(caller: CurrentCaller, app: AppServices, receipt_id: str) -> ReceiptView:
    return receipt_view(await _records(app, caller).receipt(receipt_id))


@serve(router, contract.list_public_keys)
async def list_public_keys(caller: CurrentCaller, app: AppServices) -> PublicKeys:
    return PublicKeys(keys=[PublicKeyRecord.model_validate(key.jwk()) for key in app.keys])


@serve(router, contract.get_compliance)
async def get_compliance(caller: CurrentCaller, app: AppServices) -> ComplianceReport:
    return compliance_view(await assess(app.compliance))


@serve(router, contract.get_security_metrics)
async def get_security_metrics(caller: CurrentCaller, app: AppServices) -> SecurityMetrics:
    return await _records(app, caller).metrics(app.clock.now(), mean_latency_ms(app.registry))


@serve(router, contract.get_security_prometheus)
async def get_security_prometheus(caller: CurrentCaller, app: AppServices) -> str:
    return exposition(await _records(app, caller).metrics(app.clock.now(), mean_latency_ms(app.registry)))


@serve(router, contract.create_security_session)
async def create_security_session(
    caller: CurrentCaller,
    app: AppServices,
    session_id: str,
    agent_id: str,
    user_id: str | None = None,
    original_request: str | None = None,
    stated_intent: str | None = None,
) -> SessionCreated:
    now = app.clock.now()
    await _records(app, caller).open_session(session_id, agent_id, original_request, stated_intent, now)
    return SessionCreated(session_id=session_id, agent_id=agent_id, created_at=rfc3339(now))


@serve(router, contract.list_security_sessions)
async def list_security_sessions(
    caller: CurrentCaller,
    app: AppServices,
    agent_id: str | None = None,
    active: bool | None = None,
    skip: Skip = 0,
    limit: Limit = 50,
) -> Page[SessionItem]:
    items, total = await _records(app, caller).sessions(agent_id, active, skip, limit)
    return Page[SessionItem].of(items, total, skip, limit)


@serve(router, contract.get_security_session)
async def get_security_session(caller: CurrentCaller, app: AppServices, session_id: str) -> SessionSummary:
    return await _records(app, caller).summary(session_id, app.clock.now())


@serve(router, contract.close_security_session)
async def close_security_session(caller: CurrentCaller, app: AppServices, session_id: str) -> SessionClosed:
    await _records(app, caller).close_session(session_id, app.clock.now())
    return SessionClosed(session_id=session_id, status="closed")
