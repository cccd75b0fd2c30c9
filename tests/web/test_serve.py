"""A handler that disagrees with the contract is refused at import."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.sse import ServerSentEvent

from mutx.contract.base import Input, Limit, Page, Schema
from mutx.contract.operation import operation
from mutx.web import problems
from mutx.web.serve import serve


class Part(Schema):
    name: str


class PartCreate(Input):
    name: str


@operation("POST", "/parts/{part_id}", public=True)
def make_part(part_id: UUID, body: PartCreate, limit: Limit = 5) -> Part:
    """Make a part. Twice is fine."""


@operation("GET", "/parts/stream", public=True, stream=True)
def stream_parts() -> Part:
    """Follow the parts."""


async def agreeing(request: Request, part_id: UUID, body: PartCreate, limit: Limit = 5) -> Part:
    return Part(name=f"{body.name} {limit}")


async def lacks_one(part_id: UUID, body: PartCreate) -> Part: ...
async def other_type(part_id: str, body: PartCreate, limit: Limit = 5) -> Part: ...
async def other_bounds(part_id: UUID, body: PartCreate, limit: int = 5) -> Part: ...
async def other_default(part_id: UUID, body: PartCreate, limit: Limit = 6) -> Part: ...
async def one_more(part_id: UUID, body: PartCreate, limit: Limit = 5, extra: int = 0) -> Part: ...
async def other_answer(part_id: UUID, body: PartCreate, limit: Limit = 5) -> Page[Part]: ...


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (lacks_one, "lacks 'limit'"),
        (other_type, "'part_id' is"),
        (other_bounds, "'limit' is"),
        (other_default, "another default"),
        (one_more, "'extra' is neither"),
        (other_answer, "answers"),
    ],
)
def test_disagreement_is_refused(handler: Callable[..., Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        serve(APIRouter(), make_part)(handler)


def test_a_stream_answers_with_an_iterator() -> None:
    async def plain() -> Part: ...

    async def events() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(data=1)

    with pytest.raises(TypeError, match="answers"):
        serve(APIRouter(), stream_parts)(plain)
    serve(APIRouter(), stream_parts)(events)


def app_of(*pairs: tuple[Any, Callable[..., Any]]) -> FastAPI:
    router, app = APIRouter(), FastAPI()
    for op, handler in pairs:
        serve(router, op)(handler)
    app.include_router(router)
    problems.install(app)
    return app


async def test_an_agreeing_handler_is_served_as_declared() -> None:
    app = app_of((make_part, agreeing))
    described = app.openapi()["paths"]["/v1/parts/{part_id}"]["post"]
    assert (described["operationId"], described["summary"]) == ("make_part", "Make a part. Twice is fine")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://t") as http:
        answer = await http.post(f"/v1/parts/{UUID(int=1)}", json={"name": "bolt"})
        assert answer.json() == {"name": "bolt 5"}
        refused = await http.post(f"/v1/parts/{UUID(int=1)}", json={"name": "bolt", "secret": "hunter2"})
    assert refused.status_code == 422
    assert refused.json()["details"]["errors"][0]["field"] == "body.secret"
    assert "hunter2" not in refused.text


async def test_events_leave_one_by_one() -> None:
    async def events() -> AsyncIterator[Part]:
        yield Part(name="bolt")
        yield Part(name="nut")

    app = app_of((stream_parts, events))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://t") as http:
        answer = await http.get("/v1/parts/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == 'data: {"name":"bolt"}\n\ndata: {"name":"nut"}\n\n'
