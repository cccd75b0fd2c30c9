"""A browser keeps its refresh token in a cookie: no script sees it, no other site uses it."""

from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from httpx2 import Response

from tests.server.plane import ORIGIN, PASSWORD, Plane, running

NAME = "__Secure-mutx_refresh"
LOGIN = {"email": "ana@example.org", "password": PASSWORD, "cookie": True}


def kept(answer: Response) -> str:
    """The cookie's value, and that it is set as it must be."""
    morsel = SimpleCookie(answer.headers["set-cookie"])[NAME]
    assert morsel["httponly"]
    assert morsel["secure"]
    assert (morsel["samesite"].lower(), morsel["path"]) == ("strict", "/v1/auth")
    return morsel.value


async def test_a_page_signs_in_stays_in_and_signs_out(plane: Plane) -> None:
    await plane.register()
    page = plane.client(origin=ORIGIN)
    answer = await page.post("/v1/auth/login", json=LOGIN)
    first = kept(answer)
    assert answer.json()["refresh_token"] == ""
    assert first not in answer.text
    page.headers["cookie"] = f"{NAME}={first}"
    answer = await page.post("/v1/auth/refresh", json={})
    second = kept(answer)
    assert (answer.json()["refresh_token"], second != first) == ("", True)
    page.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
    assert (await page.get("/v1/auth/me")).json()["email"] == "ana@example.org"
    page.headers["cookie"] = f"{NAME}={second}"
    out = await page.post("/v1/auth/logout")
    assert SimpleCookie(out.headers["set-cookie"])[NAME]["max-age"] == "0"
    assert (await page.post("/v1/auth/refresh", json={})).status_code == 401


async def test_registering_on_a_page(plane: Plane) -> None:
    body = {"email": "ana@example.org", "name": "Ana", "password": PASSWORD, "cookie": True}
    answer = await plane.client(origin=ORIGIN).post("/v1/auth/register", json=body)
    assert kept(answer)
    assert answer.json()["refresh_token"] == ""


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:8001", "http://", "127.0.0.1:8000"]
)
async def test_another_sites_page_neither_gets_nor_uses_it(plane: Plane, origin: str) -> None:
    await plane.register()
    mine = kept(await plane.client(origin=ORIGIN).post("/v1/auth/login", json=LOGIN))
    other = plane.client(origin=origin, cookie=f"{NAME}={mine}")
    for operation, body in (("login", LOGIN), ("refresh", {})):
        answer = await other.post(f"/v1/auth/{operation}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert "set-cookie" not in answer.headers
    page = plane.client(origin=ORIGIN, cookie=f"{NAME}={mine}")
    assert (await page.post("/v1/auth/refresh", json={})).status_code == 200


async def test_a_request_of_no_page_uses_no_cookie(plane: Plane) -> None:
    await plane.register()
    mine = kept(await plane.client(origin=ORIGIN).post("/v1/auth/login", json=LOGIN))
    assert (await plane.client(cookie=f"{NAME}={mine}").post("/v1/auth/refresh", json={})).status_code == 403
    assert (await plane.client().post("/v1/auth/login", json=LOGIN)).status_code == 403


async def test_a_page_elsewhere_that_the_operator_listed(tmp_path: Path) -> None:
    async with running(tmp_path / "home", cors_origins=("https://app.example",)) as plane:
        await plane.register()
        page = plane.client(origin="https://app.example")
        page.headers["cookie"] = f"{NAME}={kept(await page.post('/v1/auth/login', json=LOGIN))}"
        assert (await page.post("/v1/auth/refresh", json={})).status_code == 200


async def test_programs_go_on_as_before(plane: Plane) -> None:
    ana = await plane.register()
    answer = await plane.client().post("/v1/auth/refresh", json={"refresh_token": ana.tokens["refresh_token"]})
    assert answer.json()["refresh_token"]
    assert "set-cookie" not in answer.headers


async def test_no_token_at_all(plane: Plane) -> None:
    answer = await plane.client().post("/v1/auth/refresh", json={})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
