"""Stories of forgotten passwords and of addresses that must be proved, with mail that really travels."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from mutx.resources.auth.models import MailedTokenRow, MailRequestRow
from mutx.resources.workspaces.models import UserRow
from tests.mailbox import Postbox
from tests.resources.auth.conftest import Post, posting
from tests.server.plane import PASSWORD, Plane, running

FRESH = "another horse entirely"
ORIGIN = "http://127.0.0.1:8000"


async def login(plane: Plane, password: str = PASSWORD) -> int:
    body = {"email": "ana@example.org", "password": password}
    return (await plane.client().post("/v1/auth/login", json=body)).status_code


async def test_a_forgotten_password_is_replaced_once_and_every_login_ends(post_on_both: Post) -> None:
    post = post_on_both
    ana = await post.plane.register()
    assert await post.ask("forgot-password", email="Ana@example.org") == 200
    (to, mail) = post.box.mails[-1]
    token = post.box.token()
    assert to == ["ana@example.org"]
    assert f"{ORIGIN}/reset-password#token={token}" in mail.get_content()
    assert await post.ask("reset-password", token=token, new_password=FRESH) == 200
    assert (await ana.http.get("/v1/auth/me")).status_code == 401
    assert await post.ask("refresh", refresh_token=ana.tokens["refresh_token"]) == 401
    assert (await login(post.plane), await login(post.plane, FRESH)) == (401, 200)
    assert post.box.mails[-1][1]["subject"] == "Your password was changed"
    assert await post.ask("reset-password", token=token, new_password=PASSWORD) == 422
    async with post.plane.services.database.read() as session:
        user = await session.scalar(select(UserRow))
        assert user is not None
        assert user.is_email_verified


async def test_asking_tells_nobody_who_has_an_account(post: Post) -> None:
    await post.plane.register()
    await post.room.deliver()
    post.box.mails.clear()
    answers = [
        await post.plane.client().post(f"/v1/auth/{operation}", json={"email": email})
        for operation in ("forgot-password", "resend-verification")
        for email in ("ana@example.org", "nobody@example.org")
    ]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    await post.room.deliver()
    assert {to[0] for to, _ in post.box.mails} == {"ana@example.org"}


async def test_a_mailed_token_expires(post: Post) -> None:
    await post.plane.register()
    await post.ask("forgot-password", email="ana@example.org")
    post.plane.clock.advance(3601)
    assert await post.ask("reset-password", token=post.box.token(), new_password=FRESH) == 422
    assert await login(post.plane) == 200


async def test_only_the_newest_token_works_and_only_for_its_purpose(post: Post) -> None:
    await post.plane.register()
    await post.room.deliver()
    verification = post.box.token()
    await post.ask("forgot-password", email="ana@example.org")
    first = post.box.token()
    post.plane.clock.advance(61)
    await post.ask("forgot-password", email="ana@example.org")
    second = post.box.token()
    for wrong in (first, verification, "mutx_reset_" + "A" * 43, ""):
        assert await post.ask("reset-password", token=wrong, new_password=FRESH) == 422
    assert await post.ask("verify-email", token=second) == 422
    assert await post.ask("reset-password", token=second, new_password=FRESH) == 200


async def test_a_weak_password_spends_no_token(post: Post) -> None:
    await post.plane.register()
    await post.ask("forgot-password", email="ana@example.org")
    assert await post.ask("reset-password", token=post.box.token(), new_password="abcdefghijklmn") == 422
    assert await post.ask("reset-password", token=post.box.token(), new_password=FRESH) == 200


async def test_no_mailbox_is_flooded(post_on_both: Post) -> None:
    post = post_on_both
    await post.plane.register()
    await post.room.deliver()
    before = len(post.box.mails)
    for _ in range(5):
        assert await post.ask("forgot-password", email="ana@example.org") == 200
    assert len(post.box.mails) == before + 1


async def test_tokens_are_on_disk_as_hashes_only(post: Post) -> None:
    await post.plane.register()
    await post.ask("forgot-password", email="ana@example.org")
    async with post.plane.services.database.read() as session:
        digests = list(await session.scalars(select(MailedTokenRow.digest)))
    assert len(digests) == 2
    assert post.plane.services.auth.secrets.digest(post.box.token()) in digests
    home = post.plane.settings.home
    assert not any(post.box.token().encode() in file.read_bytes() for file in home.rglob("*") if file.is_file())


async def test_a_mail_server_that_refuses_gets_it_later(post: Post) -> None:
    await post.plane.register()
    await post.room.deliver()
    before = len(post.box.mails)
    post.box.refusing = True
    await post.ask("forgot-password", email="ana@example.org")
    post.box.refusing = False
    await post.room.deliver()
    assert len(post.box.mails) == before
    post.plane.clock.advance(16)
    await post.room.deliver()
    assert len(post.box.mails) == before + 1
    assert await post.ask("reset-password", token=post.box.token(), new_password=FRESH) == 200


async def test_a_mail_that_nobody_takes_is_given_up(post: Post) -> None:
    await post.plane.register()
    post.box.refusing = True
    for _ in range(20):
        post.plane.clock.advance(1000)
        await post.room.deliver()
    async with post.plane.services.database.read() as session:
        request = await session.scalar(select(MailRequestRow))
    assert request is not None
    assert (request.due_at, request.attempts) == (None, 12)


async def test_a_worker_sends_when_it_is_told(post: Post) -> None:
    await post.plane.register()
    await post.room.follow()
    assert post.box.mails[-1][1]["subject"] == "Verify your e-mail address"


async def test_links_lead_to_our_own_pages_only(tmp_path: Path, box: Postbox) -> None:
    async with posting(tmp_path / "home", box, cors_origins=("https://app.example",)) as post:
        await post.plane.register()
        evil = {"email": "ana@example.org", "email_link_origin": "https://evil.example"}
        assert await post.ask("forgot-password", **evil) == 422
        ours = {"email": "ana@example.org", "email_link_origin": "https://app.example/"}
        assert await post.ask("forgot-password", **ours) == 200
        assert "https://app.example/reset-password#token=" in post.box.mails[-1][1].get_content()


async def test_too_many_requests_for_mail_wait_no_more(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutx.resources.auth.requests.MOST", 2)
    for name in ("a", "b"):
        assert (await post.plane.client().post("/v1/auth/forgot-password", json={"email": f"{name}@x.org"})).is_success
    answer = await post.plane.client().post("/v1/auth/forgot-password", json={"email": "c@x.org"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    post.plane.clock.advance(3601)
    assert await post.ask("forgot-password", email="c@x.org") == 200


async def test_without_a_mail_server_nobody_is_promised_mail(tmp_path: Path) -> None:
    async with running(tmp_path / "home") as plane:
        ana = await plane.register()
        assert ana.tokens["verification_email_sent"] is False
        answer = await plane.client().post("/v1/auth/forgot-password", json={"email": ana.email})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert "SMTP_HOST" in answer.json()["message"]


async def test_whoever_must_verify_gets_nothing_before(strict: Post) -> None:
    body = {"email": "ana@example.org", "name": "Ana", "password": PASSWORD}
    answer = (await strict.plane.client().post("/v1/auth/register", json=body)).json()
    assert (answer["access_token"], answer["refresh_token"]) == ("", "")
    assert answer["requires_email_verification"]
    assert answer["verification_email_sent"]
    assert await login(strict.plane) == 403
    await strict.room.deliver()
    assert await strict.ask("verify-email", token=strict.box.token()) == 200
    assert await strict.ask("verify-email", token=strict.box.token()) == 422
    assert await login(strict.plane) == 200


async def test_an_address_that_must_be_verified_is_so_on_every_path(strict: Post) -> None:
    plane = strict.plane
    await strict.ask("register", email="ana@example.org", name="Ana", password=PASSWORD)
    await strict.ask("verify-email", token=strict.box.token())
    tokens = (
        await plane.client().post("/v1/auth/login", json={"email": "ana@example.org", "password": PASSWORD})
    ).json()
    ana = plane.client(tokens["access_token"])
    key = (await ana.post("/v1/api-keys", json={"name": "ci"})).json()["key"]
    caller = await plane.identities.resolve(key)
    person = await plane.identities.resolve(tokens["access_token"])
    async with plane.services.database.write() as session:
        await session.execute(update(UserRow).values(is_email_verified=False))
    plane.services.auth.callers.revoke()
    for credential in (tokens["access_token"], key):
        answer = await plane.client(credential).get("/v1/auth/me")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert "verify" in answer.json()["message"]
        # and it does not stand in the way of getting out of that
        again = await plane.client(credential).post("/v1/auth/resend-verification", json={"email": "ana@example.org"})
        assert again.status_code == 200
    assert await strict.ask("refresh", refresh_token=tokens["refresh_token"]) == 401
    assert await plane.identities.current(caller) is None
    assert await plane.identities.current(person) is None
    assert await login(plane) == 403


async def test_the_local_operator_needs_no_mail(strict: Post) -> None:
    signed_in = (await strict.plane.client().post("/v1/auth/local-bootstrap", json={})).json()
    assert (await strict.plane.client(signed_in["access_token"]).get("/v1/auth/me")).json()["is_email_verified"]


async def test_registering_a_known_address_tells_only_its_owner(strict: Post) -> None:
    """Of two who claim an address, the one whose registration the verified mail belongs to gets in."""
    evil = {"email": "ana@example.org", "name": "Eve", "password": "the password of eve"}
    first = await strict.plane.client().post("/v1/auth/register", json=evil)
    await strict.room.deliver()
    hers = strict.box.token()
    strict.plane.clock.advance(61)
    body = {"email": "ana@example.org", "name": "Ana", "password": PASSWORD}
    second = await strict.plane.client().post("/v1/auth/register", json=body)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert await strict.ask("verify-email", token=hers) == 422
    assert await strict.ask("verify-email", token=strict.box.token()) == 200
    assert (await login(strict.plane, evil["password"]), await login(strict.plane)) == (401, 200)
    third = await strict.plane.client().post("/v1/auth/register", json=evil)
    assert third.json() == second.json()
    assert (await login(strict.plane, evil["password"]), await login(strict.plane)) == (401, 200)


async def test_a_closed_account_replaces_no_password(post: Post) -> None:
    ana = await post.plane.register()
    await post.ask("forgot-password", email=ana.email)
    token = post.box.token()
    async with post.plane.services.database.write() as session:
        await session.execute(update(UserRow).values(is_active=False))
    assert await post.ask("reset-password", token=token, new_password=FRESH) == 422
