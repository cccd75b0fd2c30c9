"""Routes of `contract.guardrails`."""

from uuid import UUID

from fastapi import APIRouter

from mutx.contract import guardrails as contract
from mutx.contract.guardrails import (
    GuardrailBehaviour,
    GuardrailCanary,
    GuardrailObservation,
    GuardrailProfile,
    GuardrailQuestion,
    GuardrailRestore,
    GuardrailRestored,
    GuardrailVerdict,
)
from mutx.governance.types import Caller
from mutx.resources.guardrails.behaviour import Behaviour
from mutx.resources.guardrails.service import Guardrails, profiles
from mutx.services.evalview.leaks import new_canary
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession
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
    return await Behaviour(session, caller, app.clock).observed(body)


@serve(router, contract.get_agent_behaviour)
async def get_agent_behaviour(
    caller: CurrentCaller, session: ReadSession, app: AppServices, agent_id: UUID
) -> GuardrailBehaviour:
    return await Behaviour(session, caller, app.clock).of(str(agent_id))


@serve(router, contract.resume_agent)
async def resume_agent(
    caller: CurrentCaller, session: WriteSession, app: AppServices, agent_id: UUID
) -> GuardrailBehaviour:
    return await Behaviour(session, caller, app.clock).resume(str(agent_id))
