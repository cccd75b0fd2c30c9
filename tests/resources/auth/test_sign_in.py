"""Stories of signing in, staying in, and being thrown out."""

import asyncio

import bcrypt
import pytest
from sqlalchemy import func, select, update

from mutx.resources.auth.jobs import forget_ended_logins
from mutx.resources.auth.models import RefreshTokenRow
from mutx.resources.workspaces.models import UserRow
from tests.server.plane import PASSWORD, Plane, running


async def test_registering_signs_in_and_makes_a_personal_workspace(plane: Plane) -> None:
    ana = await plane.register("Ana@Example.org")
    assert ana.tokens["token_type"] == "bearer"
    assert ana.tokens["expires_in"] == 15 * 60
    assert (ana.me["email"], ana.me["roles"], ana.me["is_active"]) == ("ana@example.org", ["ADMIN"], True)
    (workspace,) = (await ana.http.get("/v1/workspaces")).json()["items"]
    assert workspace["id"] == ana.me["workspace_id"]
    assert (workspace["personal"], workspace["own_approvals"], workspace["role"]) == (True, True, "ADMIN")


async def test_an_address_registers_once(plane: Plane) -> None:
    await plane.register()
    body = {"email": "ANA@example.org", "name": "Imposter", "password": PASSWORD}
    answer = await plane.client().post("/v1/auth/register", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "ana@example.org", "x" * 300])
async def test_weak_passwords_are_refused_with_advice_and_without_echo(plane: Plane, password: str) -> None:
    body = {"email": "ana@example.org", "name": "Ana", "password": password}
    answer = await plane.client().post("/v1/auth/register", json=body)
    assert answer.status_code == 422
    assert "choose a password" in answer.json()["message"]
    assert password not in answer.text.replace("ana@example.org ", "")


async def test_logging_in(plane: Plane) -> None:
    ana = await plane.register()
    answer = await plane.client().post("/v1/auth/login", json={"email": ana.email, "password": PASSWORD})
    me = await plane.client(answer.json()["access_token"]).get("/v1/auth/me")
    assert me.json()["id"] == ana.me["id"]


async def test_a_wrong_password_and_an_unknown_address_answer_alike(plane: Plane) -> None:
    await plane.register()
    wrong = await plane.client().post("/v1/auth/login", json={"email": "ana@example.org", "password": "wrong"})
    unknown = await plane.client().post("/v1/auth/login", json={"email": "bob@example.org", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["message"] == unknown.json()["message"]
    assert wrong.headers["www-authenticate"] == "Bearer"


async def test_refreshing_rotates_the_token(plane: Plane) -> None:
    ana = await plane.register()
    answer = await plane.client().post("/v1/auth/refresh", json={"refresh_token": ana.tokens["refresh_token"]})
    fresh = answer.json()
    assert fresh["refresh_token"] != ana.tokens["refresh_token"]
    assert (await plane.client(fresh["access_token"]).get("/v1/auth/me")).status_code == 200


async def test_a_token_used_twice_ends_its_login_for_both_holders(plane_on_both: Plane) -> None:
    plane = plane_on_both
    ana = await plane.register()
    stolen = {"refresh_token": ana.tokens["refresh_token"]}
    fresh = (await plane.client().post("/v1/auth/refresh", json=stolen)).json()
    assert (await plane.client().post("/v1/auth/refresh", json=stolen)).status_code == 401
    again = await plane.client().post("/v1/auth/refresh", json={"refresh_token": fresh["refresh_token"]})
    assert again.status_code == 401
    assert (await plane.client(fresh["access_token"]).get("/v1/auth/me")).status_code == 401


async def test_a_login_slides_but_not_for_ever(plane: Plane) -> None:
    ana = await plane.register()
    token = ana.tokens["refresh_token"]
    for _ in range(4):
        plane.clock.advance(6.9 * 86_400)
        token = (await plane.client().post("/v1/auth/refresh", json={"refresh_token": token})).json()["refresh_token"]
    plane.clock.advance(6.9 * 86_400)  # 34.5 days in
    answer = await plane.client().post("/v1/auth/refresh", json={"refresh_token": token})
    assert answer.status_code == 401


async def test_an_unused_refresh_token_expires(plane: Plane) -> None:
    ana = await plane.register()
    plane.clock.advance(7 * 86_400 + 1)
    answer = await plane.client().post("/v1/auth/refresh", json={"refresh_token": ana.tokens["refresh_token"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_an_access_token_expires(plane: Plane) -> None:
    ana = await plane.register()
    plane.clock.advance(15 * 60 + 6)
    assert (await ana.http.get("/v1/auth/me")).status_code == 401


async def test_logging_out_ends_access_and_refresh_at_once(plane_on_both: Plane) -> None:
    plane = plane_on_both
    ana = await plane.register()
    assert (await ana.http.post("/v1/auth/logout")).status_code == 200
    assert (await ana.http.get("/v1/auth/me")).status_code == 401
    answer = await plane.client().post("/v1/auth/refresh", json={"refresh_token": ana.tokens["refresh_token"]})
    assert answer.status_code == 401


async def test_logging_out_one_login_leaves_the_others(plane: Plane) -> None:
    ana = await plane.register()
    other = (await plane.client().post("/v1/auth/login", json={"email": ana.email, "password": PASSWORD})).json()
    await ana.http.post("/v1/auth/logout", json={"refresh_token": other["refresh_token"]})
    assert (await ana.http.get("/v1/auth/me")).status_code == 200
    assert (await plane.client(other["access_token"]).get("/v1/auth/me")).status_code == 401


async def test_nobody_logs_somebody_else_out(plane: Plane) -> None:
    ana, bob = await plane.register(), await plane.register("bob@example.org", "Bob")
    answer = await bob.http.post("/v1/auth/logout", json={"refresh_token": ana.tokens["refresh_token"]})
    assert answer.status_code == 404
    assert (await ana.http.get("/v1/auth/me")).status_code == 200


RELAYED = (
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "forwarded",
    "via",
    "x-real-ip",
    "cf-connecting-ip",
    "referer",
)


async def test_local_bootstrap_is_for_loopback_peers_only(tmp_path) -> None:
    async with running(tmp_path / "home", allowed_hosts=("*",)) as plane:
        await _near_and_far(plane)


async def _near_and_far(plane: Plane) -> None:
    near = await plane.client().post("/v1/auth/local-bootstrap", json={})
    me = (await plane.client(near.json()["access_token"]).get("/v1/auth/me")).json()
    assert (me["email"], me["name"], me["roles"]) == ("local-operator@mutx.local", "Local Operator", ["ADMIN"])
    again = await plane.client().post("/v1/auth/local-bootstrap", json={"name": "Somebody Else"})
    assert (await plane.client(again.json()["access_token"]).get("/v1/auth/me")).json()["id"] == me["id"]
    for far in (
        plane.client(address="203.0.113.9"),
        plane.client(origin="https://evil.example"),
        plane.client(host="mutx.example"),
        plane.client(host="127.0.0.1.evil.example:8000"),
        *(plane.client(**{name: "127.0.0.1"}) for name in RELAYED),
    ):
        assert (await far.post("/v1/auth/local-bootstrap", json={})).status_code == 403


async def test_the_local_operator_has_no_password(plane: Plane) -> None:
    await plane.client().post("/v1/auth/local-bootstrap", json={})
    body = {"email": "local-operator@mutx.local", "password": ""}
    assert (await plane.client().post("/v1/auth/login", json=body)).status_code == 401


async def test_registration_and_bootstrap_can_be_closed(tmp_path) -> None:
    async with running(tmp_path / "home", allow_registration=False, local_bootstrap=False) as plane:
        body = {"email": "ana@example.org", "name": "Ana", "password": PASSWORD}
        assert (await plane.client().post("/v1/auth/register", json=body)).status_code == 403
        assert (await plane.client().post("/v1/auth/local-bootstrap", json={})).status_code == 403


async def test_the_public_key_is_published_without_the_private_one(plane: Plane) -> None:
    (key,) = (await plane.client().get("/.well-known/jwks.json")).json()["keys"]
    assert (key["kty"], key["crv"], key["alg"]) == ("OKP", "Ed25519", "Ed25519")
    assert "d" not in key


async def test_an_older_password_hash_is_replaced_at_sign_in(plane: Plane) -> None:
    """As a system that was here before made it: bcrypt, which reads 72 bytes."""
    long = PASSWORD + "x" * 80
    for password in (PASSWORD, long):
        email = f"{len(password)}@example.org"
        await plane.register(email)
        async with plane.services.database.write() as session:
            user = await session.scalar(select(UserRow).where(UserRow.email == email))
            user.password_hash = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
        wrong = {"email": email, "password": "wrong"}
        assert (await plane.client().post("/v1/auth/login", json=wrong)).status_code == 401
        assert (await plane.client().post("/v1/auth/login", json={"email": email, "password": password})).is_success
        async with plane.services.database.read() as session:
            stored = await session.scalar(select(UserRow.password_hash).where(UserRow.email == email))
        assert stored.startswith("$argon2id$")
        assert (await plane.client().post("/v1/auth/login", json={"email": email, "password": password})).is_success


async def test_a_refresh_token_is_signed_and_its_hash_is_what_is_stored(plane: Plane) -> None:
    ana = await plane.register()
    token = ana.tokens["refresh_token"]
    head, body, signature = token.split(".")
    for forged in (f"{head}.{body}.{signature[::-1]}", f"{head}.{body}.", "x.y.z", ana.tokens["access_token"]):
        answer = await plane.client().post("/v1/auth/refresh", json={"refresh_token": forged})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert (await plane.client(token).get("/v1/auth/me")).status_code == 401
    home = plane.settings.home
    assert not any(signature.encode() in file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert (await plane.client().post("/v1/auth/refresh", json={"refresh_token": token})).status_code == 200


async def test_two_refreshes_at_once_make_one_pair(plane_on_both: Plane) -> None:
    plane = plane_on_both
    ana = await plane.register()
    body = {"refresh_token": ana.tokens["refresh_token"]}
    answers = await asyncio.gather(*(plane.client().post("/v1/auth/refresh", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_a_password_that_changed_while_it_was_checked_opens_nothing(plane: Plane) -> None:
    ana = await plane.register()
    verify = plane.services.auth.passwords.verify

    async def slowly(password: str, stored: str | None) -> tuple[bool, str | None]:
        verified = await verify(password, stored)
        async with plane.services.database.write() as session:
            await session.execute(update(UserRow).values(password_hash="$argon2id$another"))
        return verified

    object.__setattr__(plane.services.auth.passwords, "verify", slowly)
    answer = await plane.client().post("/v1/auth/login", json={"email": ana.email, "password": PASSWORD})
    assert answer.status_code == 401


async def test_ended_logins_are_forgotten_after_a_while(plane_on_both: Plane) -> None:
    plane = plane_on_both
    await plane.register()
    plane.clock.advance(36 * 86_400)
    await forget_ended_logins(plane.services.database, plane.clock)
    async with plane.services.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(RefreshTokenRow)) == 1
    plane.clock.advance(2 * 86_400)
    bob = await plane.register("bob@example.org", "Bob")
    await forget_ended_logins(plane.services.database, plane.clock)
    async with plane.services.database.read() as session:
        (left,) = await session.scalars(select(RefreshTokenRow.digest))
    assert left == plane.services.auth.secrets.digest(bob.tokens["refresh_token"])
