"""Routes of `contract.guardrails`."""

from uuid import UUID

from fastapi import APIRouter

from mutx.contract import guardrails as contract
from mutx.contract.guardrails import (
    GuardrailBehaviour,
    GuardrailCanary,
    GuardrailFindings,
    GuardrailNoted,
    GuardrailObservation,
    GuardrailProfile,
    GuardrailQuestion,
    GuardrailRestore,
    GuardrailRestored,
    GuardrailResultQuestion,
    GuardrailResultVerdict,
    GuardrailVerdict,
)
from mutx.governance.noting import Noted
from mutx.governance.types import Caller
from mutx.resources.guardrails.behaviour import Behaviour
from mutx.resources.guardrails.jobs import PAUSES
from mutx.resources.guardrails.notes import note_from
from mutx.resources.guardrails.results import Results
from mutx.resources.guardrails.service import Guardrails, profiles
from mutx.services.evalview.leaks import new_canary
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession, after_commit
from mutx.web.serve import serve
from mutx.web.services import Services

router = APIRouter()


def _guardrails(app: Services, caller: Caller) -> Guardrails:
    return Guardrails(app, app.evalview, caller)


@serve(router, contract.list_guardrail_profiles)
async def list_guardrail_profiles(caller: CurrentCaller) -> list[GuardrailProfile]:
    return profiles()


@serve(router, contract.check_text)
async def check_text(caller: CurrentCaller, app: AppServices, body: GuardrailQuestion) -> GuardrailVerdict:
    return await _guardrails(app, caller).check(body)


@serve(router, contract.check_result)
async def check_result(
    caller: CurrentCaller, app: AppServices, body: GuardrailResultQuestion
) -> GuardrailResultVerdict:
    return await Results(_guardrails(app, caller), app.evalview).check(body)


@serve(router, contract.report_findings)
async def report_findings(caller: CurrentCaller, app: AppServices, body: GuardrailFindings) -> GuardrailNoted:
    about = Noted(body.session_id, body.agent_id, body.direction.value, "own")
    return GuardrailNoted(receipt_id=await app.pipeline.notes.add(about, note_from(body), caller))


@serve(router, contract.restore_text)
async def restore_text(caller: CurrentCaller, app: AppServices, body: GuardrailRestore) -> GuardrailRestored:
    return _guardrails(app, caller).restore(body)


@serve(router, contract.create_canary)
async def create_canary(caller: CurrentCaller) -> GuardrailCanary:
    return GuardrailCanary(canary=new_canary())


@serve(router, contract.report_observation)
async def report_observation(
    caller: CurrentCaller, session: WriteSession, app: AppServices, body: GuardrailObservation
) -> GuardrailBehaviour:
    seen, paused = await Behaviour(session, caller, app.clock).observed(body)
    if paused:
        _tell(session, app)
    return seen


@serve(router, contract.get_agent_behaviour)
async def get_agent_behaviour(
    caller: CurrentCaller, session: ReadSession, app: AppServices, agent_id: UUID
) -> GuardrailBehaviour:
    return await Behaviour(session, caller, app.clock).of(str(agent_id))


@serve(router, contract.resume_agent)
async def resume_agent(
    caller: CurrentCaller, session: WriteSession, app: AppServices, agent_id: UUID
) -> GuardrailBehaviour:
    _tell(session, app)
    return await Behaviour(session, caller, app.clock).resume(str(agent_id))


def _tell(session: WriteSession, app: Services) -> None:
    """Every process asks again who is paused, once it is on disk."""
    after_commit(session, lambda: app.bus.publish(PAUSES, {}))
