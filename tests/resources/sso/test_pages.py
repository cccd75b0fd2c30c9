"""Stories of pages that sign people in through the real OpenID provider."""

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

import httpx2
import pytest

from mutx.server.wiring import ControlPlane
from tests.faults.world import client
from tests.oidc.running import OpenIdProvider
from tests.resources.sso.conftest import PAGE, REDIRECT

AUTHORIZE, EXCHANGE = "/v1/auth/oauth/house/authorize", "/v1/auth/oauth/house/exchange"
START, CALLBACK = "/v1/auth/sso/house", "/v1/auth/sso/house/callback"
ORIGIN = {"origin": "http://127.0.0.1:8000"}
REFRESH = "__Secure-mutx_refresh"

ELSEWHERE = (
    "https://evil.example/signed-in",
    "http://127.0.0.1:8001/signed-in",
    "https://127.0.0.1:8000/signed-in",
    "http://127.0.0.1:8000.evil.example/",
    "http://127.0.0.1:8000@evil.example/",
    "http://evil.example\\@127.0.0.1:8000/",
    "http://127.0.0.1:8000/#x",
    "//127.0.0.1:8000/",
    "javascript:alert(1)",
)


async def sent(browser: httpx2.AsyncClient, provider: OpenIdProvider, **more: str) -> dict[str, Any]:
    """What the page sends after the browser came back from the provider."""
    begun = await browser.get(AUTHORIZE, params={"redirect_uri": PAGE, **more})
    assert begun.status_code == 200, begun.text
    back = await provider.approve(begun.json()["authorization_url"], "ana")
    assert back["state"] == begun.json()["state"]
    return {"code": back["code"], "state": back["state"], "redirect_uri": PAGE}


def kept(answer: httpx2.Response) -> Mapping[str, Any]:
    morsel = SimpleCookie(next(c for c in answer.headers.get_list("set-cookie") if c.startswith(REFRESH)))[REFRESH]
    assert (morsel["httponly"], morsel["secure"], morsel["samesite"].lower()) == (True, True, "strict")
    return morsel


async def test_a_page_takes_the_code_itself(plane: ControlPlane, provider: OpenIdProvider) -> None:
    async with client(plane) as browser:
        body = await sent(browser, provider, state="the-page's-own")
        assert body["state"] == "the-page's-own"
        answer = await browser.post(EXCHANGE, json=body)
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        assert tokens["refresh_token"]
        assert not list(browser.cookies.jar), "the cookie is gone"
    async with client(plane, tokens["access_token"]) as http:
        ana = (await http.get("/v1/auth/me")).json()
    assert (ana["email"], ana["roles"], ana["workspace_id"]) == ("ana@example.org", ["ADMIN"], tokens["workspace_id"])


async def test_a_code_is_exchanged_once_by_the_browser_that_began(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    async with client(plane) as browser, client(plane) as other:
        body = await sent(browser, provider, state="same")
        binding = browser.cookies["mutx_sso"]
        await other.get(AUTHORIZE, params={"redirect_uri": PAGE, "state": "same"})
        refused = [
            await other.post(EXCHANGE, json=body),
            await browser.post(EXCHANGE, json={**body, "state": "x"}),
            await browser.post(EXCHANGE, json={**body, "redirect_uri": PAGE + "?x"}),
            await browser.get(CALLBACK, params={"code": body["code"], "state": body["state"]}),
        ]
        assert [answer.status_code for answer in refused] == [401] * 4
        assert (await browser.post(EXCHANGE, json=body)).status_code == 200
        browser.headers["cookie"] = f"mutx_sso={binding}"
        assert (await browser.post(EXCHANGE, json=body)).status_code == 401


async def test_what_the_callback_is_for_no_page_exchanges(plane: ControlPlane, provider: OpenIdProvider) -> None:
    async with client(plane) as browser:
        begun = await browser.get(START)
        back = await provider.approve(begun.json()["authorization_url"], "ana")
        browser.cookies.clear()
        browser.headers["cookie"] = begun.headers["set-cookie"].partition(";")[0]
        body = {"code": back["code"], "state": back["state"], "redirect_uri": REDIRECT}
        assert (await browser.post(EXCHANGE, json=body)).status_code == 401


async def test_codes_and_people_are_sent_to_own_pages_only(plane: ControlPlane) -> None:
    async with client(plane) as browser:
        for page in ELSEWHERE:
            for answer in (
                await browser.get(AUTHORIZE, params={"redirect_uri": page}),
                await browser.get(START, params={"return_to": page}),
            ):
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), page
                assert "set-cookie" not in answer.headers
        assert (await browser.get(AUTHORIZE.replace("house", "x"), params={"redirect_uri": PAGE})).status_code == 404


@pytest.mark.parametrize("origin", [{}, {"origin": "https://evil.example"}])
async def test_the_cookie_is_for_own_pages_only(
    plane: ControlPlane, provider: OpenIdProvider, origin: dict[str, str]
) -> None:
    async with client(plane) as browser:
        body = {**await sent(browser, provider), "cookie": True}
        assert (await browser.post(EXCHANGE, json=body, headers=origin)).status_code == 403
        answer = await browser.post(EXCHANGE, json=body, headers=ORIGIN)
        assert (answer.status_code, answer.json()["refresh_token"]) == (200, "")
        assert kept(answer).value not in answer.text


async def test_the_callback_sends_a_browser_on_with_the_cookie(plane: ControlPlane, provider: OpenIdProvider) -> None:
    async with client(plane) as browser:
        begun = await browser.get(START, params={"return_to": PAGE + "?from=sso"})
        assert begun.status_code == 200, begun.text
        back = await provider.approve(begun.json()["authorization_url"], "ana")
        mine = begun.headers["set-cookie"].partition(";")[0]
        other = (PAGE + "?from=xxx").encode().hex()
        browser.cookies.clear()
        browser.headers["cookie"] = mine.partition(".")[0] + "." + other
        assert (await browser.get(CALLBACK, params=back)).status_code == 401, "the page cannot be exchanged for another"
        browser.headers["cookie"] = mine
        answer = await browser.get(CALLBACK, params=back)
        assert (answer.status_code, answer.headers["location"]) == (303, PAGE + "?from=sso")
        assert (answer.json()["access_token"], answer.json()["refresh_token"]) == ("", "")
        browser.headers["cookie"] = f"{REFRESH}={kept(answer).value}"
        again = await browser.post("/v1/auth/refresh", json={}, headers=ORIGIN)
        assert again.status_code == 200, again.text
        browser.headers["authorization"] = f"Bearer {again.json()['access_token']}"
        assert (await browser.get("/v1/auth/me")).json()["email"] == "ana@example.org"
