"""The verbs as FastAPI routes: what OpenAPI, SDK and CLI see of them, and the ones that only read.

The fast lane (`http.py`) answers the POST paths before the router does; without it these give the same answers, slower.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel

from mutx.contract import governance as contract
from mutx.contract.governance import (
    Batch,
    BatchResults,
    ConcludeAnswer,
    ConcludeRequest,
    DecideAnswer,
    DecideRequest,
    RedeemAnswer,
    RedeemRequest,
    ResolveRequest,
)
from mutx.server.doors.verbs import MAX_WAIT, Json, Verbs
from mutx.web.deps import CurrentCaller
from mutx.web.serve import serve

router = APIRouter()


async def _verbs(request: Request) -> Verbs:
    found = request.app.state.verbs
    assert isinstance(found, Verbs)
    return found


AppVerbs = Annotated[Verbs, Depends(_verbs)]


async def _standing(caller: CurrentCaller, verbs: AppVerbs, action_id: str) -> Json:
    """A stream has answered 200 by the time it begins: where the action stands is asked before. Raises NotFound."""
    return await verbs.call("status", {"action_id": action_id}, caller)


Standing = Annotated[Json, Depends(_standing)]


def _json(body: BaseModel) -> Json:
    return body.model_dump(mode="json", exclude_unset=True)


@serve(router, contract.decide)
async def decide(caller: CurrentCaller, verbs: AppVerbs, body: DecideRequest) -> DecideAnswer:
    return DecideAnswer.model_validate(await verbs.call("decide", _json(body), caller))


@serve(router, contract.conclude)
async def conclude(caller: CurrentCaller, verbs: AppVerbs, body: ConcludeRequest) -> ConcludeAnswer:
    return ConcludeAnswer.model_validate(await verbs.call("conclude", _json(body), caller))


@serve(router, contract.resolve)
async def resolve(caller: CurrentCaller, verbs: AppVerbs, body: ResolveRequest) -> DecideAnswer:
    return DecideAnswer.model_validate(await verbs.call("resolve", _json(body), caller))


@serve(router, contract.redeem)
async def redeem(caller: CurrentCaller, verbs: AppVerbs, body: RedeemRequest) -> RedeemAnswer:
    return RedeemAnswer.model_validate(await verbs.call("redeem", _json(body), caller))


@serve(router, contract.get_action)
async def get_action(caller: CurrentCaller, verbs: AppVerbs, action_id: str) -> DecideAnswer:
    return DecideAnswer.model_validate(await verbs.call("status", {"action_id": action_id}, caller))


@serve(router, contract.wait_action)
async def wait_action(
    caller: CurrentCaller,
    verbs: AppVerbs,
    standing: Standing,
    action_id: str,
    timeout: float = 25.0,  # noqa: ASYNC109 - the contract's name
) -> AsyncIterator[ServerSentEvent]:
    """`pending` at once if it waits, then one last event: `resolved`, or `pending` again once the time is up."""
    state = standing
    if _waits(state):
        yield ServerSentEvent(event="pending", data=state)
        state = await verbs.call("wait", {"action_id": action_id, "timeout": min(timeout, MAX_WAIT)}, caller)
    yield ServerSentEvent(event="pending" if _waits(state) else "resolved", data=state)


def _waits(state: Json) -> bool:
    return bool(state["decision"] == "defer")


@serve(router, contract.decide_batch)
async def decide_batch(
    caller: CurrentCaller, verbs: AppVerbs, body: Batch[DecideRequest]
) -> BatchResults[DecideAnswer]:
    return BatchResults[DecideAnswer].model_validate(await _batch(verbs, "decide", body, caller))


@serve(router, contract.conclude_batch)
async def conclude_batch(
    caller: CurrentCaller, verbs: AppVerbs, body: Batch[ConcludeRequest]
) -> BatchResults[ConcludeAnswer]:
    return BatchResults[ConcludeAnswer].model_validate(await _batch(verbs, "conclude", body, caller))


@serve(router, contract.resolve_batch)
async def resolve_batch(
    caller: CurrentCaller, verbs: AppVerbs, body: Batch[ResolveRequest]
) -> BatchResults[DecideAnswer]:
    return BatchResults[DecideAnswer].model_validate(await _batch(verbs, "resolve", body, caller))


@serve(router, contract.redeem_batch)
async def redeem_batch(
    caller: CurrentCaller, verbs: AppVerbs, body: Batch[RedeemRequest]
) -> BatchResults[RedeemAnswer]:
    return BatchResults[RedeemAnswer].model_validate(await _batch(verbs, "redeem", body, caller))


async def _batch(verbs: Verbs, verb: str, body: Batch[Any], caller: CurrentCaller) -> Json:
    return await verbs.batch(verb, _json(body), caller)
