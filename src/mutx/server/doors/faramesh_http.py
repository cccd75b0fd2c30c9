"""Faramesh's HTTP dialect as FastAPI routes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from mutx.contract import faramesh as contract
from mutx.contract.faramesh import FarameshCall, FarameshVerdict, GateCall, GateVerdict
from mutx.server.doors import faramesh_wire as wire
from mutx.server.doors.faramesh_verbs import FarameshVerbs
from mutx.web.deps import CurrentCaller, services
from mutx.web.serve import serve

router = APIRouter()

OUTCOMES = {"PERMIT": "EXECUTE", "DENY": "HALT", "DEFER": "ABSTAIN"}


async def _verbs(request: Request) -> FarameshVerbs:
    return FarameshVerbs(request.app.state.verbs, services(request).pipeline)


AppFaramesh = Annotated[FarameshVerbs, Depends(_verbs)]


@serve(router, contract.evaluate_call)
async def evaluate_call(caller: CurrentCaller, verbs: AppFaramesh, body: FarameshCall) -> FarameshVerdict:
    asked = wire.Request(kind=wire.GOVERN, fields=body.model_dump(exclude_none=True))
    return FarameshVerdict.model_validate(await verbs.govern(asked, caller, _session(body.agent_id)))


@serve(router, contract.decide_gate)
async def decide_gate(caller: CurrentCaller, verbs: AppFaramesh, body: GateCall) -> GateVerdict:
    asked = wire.Request(kind=wire.GOVERN, fields=body.model_dump(exclude={"context"}))
    said = await verbs.govern(asked, caller, _session(body.agent_id))
    facts = {
        "outcome": OUTCOMES[said["effect"]],
        "request_hash": said["action_hash"],
        "provenance_id": said["action_id"],
    }
    return GateVerdict.model_validate({**said, **facts})


def _session(agent_id: str) -> str:
    """These clients name none, and nothing says which of their processes asks."""
    return f"faramesh-{agent_id}"[:256]
