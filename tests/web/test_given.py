"""Handlers that read are given caller, services and view directly, and refusals come in the same order as ever."""

from typing import Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Request
from sqlalchemy import text

from mutx.contract.base import Limit, Message
from mutx.contract.operation import operation
from mutx.kit.errors import NotFound
from mutx.web.deps import AppServices, CurrentCaller, ReadSession, WriteSession
from mutx.web.given import given
from mutx.web.serve import serve
from tests.server.plane import Plane


@operation("GET", "/views/{view_id}", scope="agents:read")
def look(view_id: UUID, limit: Limit = 5) -> Message:
    """Look at something."""


@operation("GET", "/wheres", scope="agents:read")
def where() -> Message:
    """Where it was asked."""


@pytest.fixture
def opened(plane: Plane) -> list[Any]:
    """The views that handlers of `look` and `where` were given."""
    router, opened = APIRouter(), []

    @serve(router, look)
    async def looking(
        caller: CurrentCaller, session: ReadSession, app: AppServices, view_id: UUID, limit: Limit = 5
    ) -> Message:
        opened.append(session)
        assert app is plane.services
        name = await session.scalar(text("SELECT name FROM users WHERE id = :id"), {"id": caller.user_id})
        if view_id.int == 0:
            raise NotFound("no such view")
        return Message(message=f"{name} {limit}")

    @serve(router, where)
    async def asked_where(request: Request, app: AppServices) -> Message:
        return Message(message=f"{request.url.path} {app is plane.services}")

    plane.app.api.include_router(router)
    return opened


async def test_what_it_asks_for_is_there(plane: Plane, opened: list[Any]) -> None:
    ana = await plane.register()
    answer = await ana.http.get(f"/v1/views/{UUID(int=1)}", params={"limit": 7})
    assert answer.json() == {"message": "Ana 7"}
    assert (await ana.http.get("/v1/wheres")).json() == {"message": "/v1/wheres True"}
    assert plane.services.database.pool().acquired == 0


async def test_an_error_gives_the_view_back(plane: Plane, opened: list[Any]) -> None:
    ana = await plane.register()
    assert (await ana.http.get(f"/v1/views/{UUID(int=0)}")).status_code == 404
    assert len(opened) == 1
    assert plane.services.database.pool().acquired == 0


async def test_a_request_that_is_refused_opens_no_view(plane: Plane, opened: list[Any]) -> None:
    ana = await plane.register()
    assert (await plane.client().get("/v1/views/nonsense")).status_code == 401
    assert (await ana.http.get("/v1/views/nonsense")).status_code == 422
    assert opened == []


def test_a_handler_that_writes_or_asks_for_none_of_it_stays_as_it_is() -> None:
    async def writes(caller: CurrentCaller, session: WriteSession) -> None: ...
    async def neither(view_id: UUID) -> None: ...

    assert given(writes) is writes
    assert given(neither) is neither
