"""Signposts find the route that the router would have found, and leave everything else to it."""

from uuid import UUID

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match, NoMatchFound

from mutx.contract.operation import by_name
from mutx.contract.registry import FAMILIES
from mutx.server.openapi import DescribedApi
from mutx.web.signposts import Signposts

KNOWN = by_name(FAMILIES)


def asking(method: str, path: str) -> dict:
    return {"type": "http", "method": method, "path": path, "root_path": ""}


@pytest.fixture(scope="module")
def posts() -> Signposts:
    [found] = [route for route in DescribedApi().routes if isinstance(route, Signposts)]
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_every_operation_is_found(posts: Signposts, name: str) -> None:
    path = "/".join(str(UUID(int=1)) if "{" in part else part for part in KNOWN[name].url.split("/"))
    match, found = posts.matches(asking(KNOWN[name].method, path))
    assert (match, found["route"].operation_id) == (Match.FULL, name)


@pytest.mark.parametrize(
    "scope",
    [
        asking("GET", "/v1/nothing"),
        asking("GET", "/v2/api-keys"),
        asking("PATCH", "/v1/api-keys"),
        {"type": "websocket", "path": "/v1/api-keys"},
    ],
)
def test_the_rest_is_left_to_the_router(posts: Signposts, scope: dict) -> None:
    assert posts.matches(scope) == (Match.NONE, {})
    with pytest.raises(NoMatchFound):
        posts.url_path_for("list_api_keys")


async def test_answers_are_those_of_the_router() -> None:
    router = APIRouter()

    @router.get("/v1/parts/{part}")
    async def part(part: str) -> str:
        return part

    @router.get("/{family}/parts")
    async def family(family: str) -> str:
        return family

    app = FastAPI()
    app.include_router(router)
    app.routes.insert(0, Signposts(route for route in router.routes if isinstance(route, APIRoute)))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://t") as http:
        assert (await http.get("/v1/parts/bolt")).json() == "bolt"
        assert (await http.get("/v1/parts")).json() == "v1"
        refused = await http.delete("/v1/parts/bolt")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET")
        assert (await http.get("/v1/parts/bolt/nut")).status_code == 404
