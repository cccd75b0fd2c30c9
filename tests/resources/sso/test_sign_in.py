"""Stories of signing in through a real OpenID provider."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace
from sqlalchemy import update

from mutx.kit.errors import PermissionDenied, Unauthenticated
from mutx.resources.sso.people import SsoPeople
from mutx.resources.workspaces.models import UserRow
from mutx.server.wiring import ControlPlane
from tests.faults.world import client
from tests.oidc.running import AUDIENCE, OpenIdProvider, new_key


def claims(provider: OpenIdProvider, **more: Any) -> dict[str, Any]:
    """Of an access token that is right; `more` makes it wrong."""
    now = int(time.time())
    right = {"iss": provider.issuer, "aud": AUDIENCE, "sub": "dora", "iat": now, "exp": now + 600, "client_id": "x"}
    return {name: value for name, value in {**right, **more}.items() if value is not None}


async def signed_in(plane: ControlPlane, provider: OpenIdProvider, account: str) -> dict[str, Any]:
    async with client(plane) as browser:
        return await returned(browser, provider, account)


async def returned(browser: httpx2.AsyncClient, provider: OpenIdProvider, account: str) -> dict[str, Any]:
    start = await browser.get("/v1/auth/sso/house")
    assert start.status_code == 200, start.text
    back = await provider.approve(start.json()["authorization_url"], account)
    answer = await browser.get("/v1/auth/sso/house/callback", params=back)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def me(plane: ControlPlane, token: str) -> httpx2.Response:
    async with client(plane, token) as http:
        return await http.get("/v1/auth/me")


async def test_a_person_signs_in_and_works_with_the_role_of_their_group(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    tokens = await signed_in(plane, provider, "ana")
    ana = (await me(plane, tokens["access_token"])).json()
    assert (ana["email"], ana["name"], ana["roles"]) == ("ana@example.org", "Ana", ["ADMIN"])
    assert ana["workspace_id"] == tokens["workspace_id"]
    async with client(plane, tokens["access_token"]) as http:
        workspaces = (await http.get("/v1/workspaces")).json()["items"]
        assert {(w["name"], w["personal"]) for w in workspaces} == {("Ana's workspace", True), ("house", False)}
        assert (await http.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})).status_code == 200
    again = await signed_in(plane, provider, "ana")
    assert (await me(plane, again["access_token"])).json()["id"] == ana["id"]


async def test_who_has_no_role_of_ours_looks_only_and_an_unverified_address_is_not_taken(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    tokens = await signed_in(plane, provider, "bob")
    bob = (await me(plane, tokens["access_token"])).json()
    assert bob["roles"] == ["VIEWER"]
    assert bob["email"].endswith("@sso.invalid")


async def test_a_sign_in_is_finished_once_by_the_browser_that_began_it(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    async with client(plane) as browser, client(plane) as other:
        start = await browser.get("/v1/auth/sso/house")
        cookie = start.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        back = await provider.approve(start.json()["authorization_url"], "ana")
        await other.get("/v1/auth/sso/house")
        callback = "/v1/auth/sso/house/callback"
        for stranger, query in (
            (other, back),
            (browser, {**back, "state": "x"}),
            (browser, {"error": "access_denied"}),
        ):
            assert (await stranger.get(callback, params=query)).status_code == 401
        kept = browser.cookies.jar
        assert (await browser.get(callback, params=back)).status_code == 200
        assert not list(kept), "the cookie is gone"
        browser.headers["cookie"] = start.headers["set-cookie"].partition(";")[0]
        assert (await browser.get(callback, params=back)).status_code == 401


async def test_the_providers_access_tokens_are_bearer_tokens(plane: ControlPlane, provider: OpenIdProvider) -> None:
    token = await provider.access_token()
    answer = await me(plane, token)
    assert answer.status_code == 200, answer.text
    assert answer.json()["roles"] == ["DEVELOPER"]
    async with client(plane, token) as http:
        assert (await http.post("/v1/agents", json={"name": "scout"})).status_code == 201
        assert (await http.patch(f"/v1/workspaces/{answer.json()['workspace_id']}", json={})).status_code == 403


async def test_tokens_that_are_not_right_are_refused(plane: ControlPlane, provider: OpenIdProvider) -> None:
    good = provider.signed(claims(provider, groups=["builders"]))
    assert (await me(plane, good)).status_code == 200
    head, body, _ = good.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    past = int(time.time()) - 600
    bad = {
        "another audience": provider.signed(claims(provider, aud="somebody-else")),
        "no audience": provider.signed(claims(provider, aud=None)),
        "another issuer": provider.signed(claims(provider, iss="https://elsewhere.example.org")),
        "expired": provider.signed(claims(provider, exp=past, iat=past - 60)),
        "no end": provider.signed(claims(provider, exp=None)),
        "not yet": provider.signed(claims(provider, nbf=int(time.time()) + 600)),
        "nobody": provider.signed(claims(provider, sub="")),
        "an ID token": provider.signed(claims(provider, at_hash="x")),
        "an ID token by its nonce": provider.signed(claims(provider, nonce="x")),
        "an ID token by its own word": provider.signed(claims(provider, typ="ID")),
        "of another type": provider.signed(claims(provider), typ="logout+jwt"),
        "alg none": f"{none}.{body}.",
        "alg none with a signature": f"{none}.{body}.{good.rpartition('.')[2]}",
        "a signature of nobody": f"{head}.{body}.AAAA",
        "another's key": provider.signed(claims(provider), key=new_key("first")),
        "an unknown key": provider.signed(claims(provider), key=new_key("unknown")),
    }
    for why, token in bad.items():
        answer = await me(plane, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), why
        assert token not in answer.text
    assert (await me(plane, good)).status_code == 200


async def test_two_first_requests_at_once_are_one_person(plane: ControlPlane, provider: OpenIdProvider) -> None:
    token = provider.signed(claims(provider, typ="Bearer", nonce="x", email="no address", email_verified=True))
    answers = await asyncio.gather(*(me(plane, token) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert answers[0].json()["email"].endswith("@sso.invalid")


async def test_one_address_is_one_account_where_both_sides_verified_it(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    async with client(plane) as http:
        account = {"email": "dora@example.org", "name": "Dora", "password": "correct horse battery"}
        token = (await http.post("/v1/auth/register", json=account)).json()["access_token"]
    async with plane.services.database.write() as session:
        await session.execute(update(UserRow).values(is_email_verified=True))
    dora = provider.signed(claims(provider, email="Dora@Example.org", email_verified=True))
    joined, own = (await me(plane, dora)).json(), (await me(plane, token)).json()
    assert joined["id"] == own["id"]
    assert joined["workspace_id"] != own["workspace_id"]


async def test_a_role_that_the_provider_takes_away_is_gone_at_once(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    builder = provider.signed(claims(provider, groups=["builders"]))
    caller = await plane.identities.resolve(builder)
    assert caller.roles == ("DEVELOPER",)
    fewer = provider.signed(claims(provider, groups=[]))
    assert (await me(plane, fewer)).json()["roles"] == ["VIEWER"]
    today = await plane.identities.current(caller)
    assert today is not None
    assert today.roles == ("VIEWER",)


async def test_a_removed_member_stays_out(plane: ControlPlane, provider: OpenIdProvider) -> None:
    tokens = await signed_in(plane, provider, "ana")
    dora = provider.signed(claims(provider))
    about = (await me(plane, dora)).json()
    async with client(plane, tokens["access_token"]) as admin:
        members = f"/v1/workspaces/{tokens['workspace_id']}/members"
        assert {m["source"] for m in (await admin.get(members)).json()["items"]} == {"sso"}
        assert (await admin.delete(f"{members}/{about['id']}")).status_code == 204
    assert (await me(plane, dora)).status_code == 401


async def test_what_an_administrator_assigns_stands_while_the_provider_names_no_role(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    tokens = await signed_in(plane, provider, "ana")
    dora = provider.signed(claims(provider, email="dora@example.org", email_verified=True, groups=[]))
    assert (await me(plane, dora)).json()["roles"] == ["VIEWER"]
    async with client(plane, tokens["access_token"]) as admin:
        url = f"/v1/workspaces/{tokens['workspace_id']}/members"
        put = await admin.put(url, json={"email": "dora@example.org", "role": "AUDIT_ADMIN"})
        assert put.json()["source"] == "manual"
    assert (await me(plane, dora)).json()["roles"] == ["AUDIT_ADMIN"]
    builder = provider.signed(claims(provider, groups=["builders"]))
    assert (await me(plane, builder)).json()["roles"] == ["DEVELOPER"]


async def test_accounts_meet_only_where_both_sides_know_the_address(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    """Somebody has registered with an address that is not known to be theirs, and waits for its owner."""
    account = {"email": "dora@example.org", "name": "Not Dora", "password": "correct horse battery"}
    async with client(plane) as squatter:
        assert (await squatter.post("/v1/auth/register", json=account)).status_code == 201
    dora = provider.signed(claims(provider, email="dora@example.org", email_verified=True))
    answer = await me(plane, dora)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("path", ["/v1/auth/sso/elsewhere", "/v1/auth/sso/elsewhere/callback?code=x&state=y"])
async def test_another_provider_is_not_there(plane: ControlPlane, path: str) -> None:
    async with client(plane) as http:
        assert (await http.get(path)).status_code == 404
        assert [p["provider"] for p in (await http.get("/v1/auth/sso")).json()["providers"]] == ["house"]


async def test_who_is_a_member_already_keeps_the_role_and_a_closed_account_stays_closed(
    plane: ControlPlane, provider: OpenIdProvider
) -> None:
    admin = await signed_in(plane, provider, "ana")
    account = {"email": "dora@example.org", "name": "Dora", "password": "correct horse battery"}
    async with client(plane) as http:
        await http.post("/v1/auth/register", json=account)
    async with plane.services.database.write() as session:
        await session.execute(update(UserRow).values(is_email_verified=True))
    async with client(plane, admin["access_token"]) as http:
        members = f"/v1/workspaces/{admin['workspace_id']}/members"
        assert (await http.put(members, json={"email": account["email"], "role": "AUDIT_ADMIN"})).status_code == 200
    dora = provider.signed(claims(provider, email=account["email"], email_verified=True))
    for _ in range(2):
        assert (await me(plane, dora)).json()["roles"] == ["AUDIT_ADMIN"]
    emil = {**account, "email": "emil@example.org"}
    async with client(plane) as http:
        await http.post("/v1/auth/register", json=emil)
    async with plane.services.database.write() as session:
        gone = update(UserRow).where(UserRow.email == emil["email"])
        await session.execute(gone.values(is_email_verified=True, is_active=False))
    closed = provider.signed(claims(provider, sub="emil", email=emil["email"], email_verified=True))
    assert (await me(plane, closed)).status_code == 401


async def test_an_organisation_may_have_its_workspace_set(plane: ControlPlane, provider: OpenIdProvider) -> None:
    admin = await signed_in(plane, provider, "ana")
    assert plane.services.sign_on is not None
    async with plane.services.database.write() as session:
        for workspace_id, found in ((admin["workspace_id"], True), ("no-such-workspace", False)):
            config = replace(plane.services.sign_on.config, workspace_id=workspace_id)
            people = SsoPeople(session, config, datetime.now(UTC))
            if found:
                assert (await people.admit(claims(provider, sub="eve"))).member.workspace_id == workspace_id
            else:
                with pytest.raises(PermissionDenied, match="OIDC_WORKSPACE_ID"):
                    await people.admit(claims(provider, sub="fay"))
        with pytest.raises(Unauthenticated, match="names nobody"):
            await people.admit(claims(provider, sub=5))
