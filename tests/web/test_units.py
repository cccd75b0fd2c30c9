"""A unit of work is on disk before its answer leaves."""

import pytest
from fastapi import APIRouter
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from mutx.contract.base import Message
from mutx.contract.operation import operation
from mutx.kit.errors import Conflict
from mutx.web.deps import WriteSession, after_commit
from mutx.web.serve import serve
from tests.server.plane import Plane


@operation("POST", "/units/{how}", public=True)
def work(how: str) -> Message:
    """Write something, then go well or badly."""


@pytest.fixture
def told(plane: Plane) -> list[str]:
    """Handlers of `work` on the app, and what they told after their commit."""
    router, told = APIRouter(), []

    @serve(router, work)
    async def handler(session: WriteSession, how: str) -> Message:
        after_commit(session, lambda: told.append(how))
        await session.execute(text("UPDATE users SET name = :how"), {"how": how})
        if how == "conflict":
            raise Conflict("no")
        if how == "disk":
            _fail_at_commit(session)
        if how == "bug":
            raise RuntimeError("the password is hunter2")
        return Message(message=how)

    plane.app.api.include_router(router)
    return told


def _fail_at_commit(session: AsyncSession) -> None:
    def refuse(_: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

    event.listen(session.sync_session, "before_commit", refuse)


async def names(plane: Plane) -> list[str]:
    async with plane.services.database.read() as session:
        return list(await session.scalars(text("SELECT name FROM users")))


async def test_what_was_answered_is_written(plane: Plane, told: list[str]) -> None:
    await plane.register()
    assert (await plane.client().post("/v1/units/well")).status_code == 200
    assert (await names(plane), told) == (["well"], ["well"])


@pytest.mark.parametrize(("how", "status", "code"), [("conflict", 409, "conflict"), ("bug", 500, "internal_error")])
async def test_an_error_undoes_the_unit(plane: Plane, told: list[str], how: str, status: int, code: str) -> None:
    await plane.register()
    answer = await plane.client().post(f"/v1/units/{how}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "hunter2" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert (await names(plane), told) == (["Ana"], [])


async def test_a_commit_that_fails_answers_nothing_but_the_failure(plane: Plane, told: list[str]) -> None:
    await plane.register()
    answer = await plane.client().post("/v1/units/disk")
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert (await names(plane), told) == (["Ana"], [])
