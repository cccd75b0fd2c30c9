"""Stories of invitations that are mailed."""

from pathlib import Path

import pytest

from tests.mailbox import TOKEN, Postbox
from tests.resources.auth.conftest import Post, posting
from tests.server.plane import Person, Plane

ACCEPT = "/v1/workspaces/invitations/accept"
BOB = "bob@example.org"


async def invited(ana: Person, role: str = "DEVELOPER", email: str = BOB) -> dict[str, str]:
    url = f"/v1/workspaces/{ana.me['workspace_id']}/invitations"
    answer = await ana.http.post(url, json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    return answer.json()


def to_bob(post: Post) -> list[str]:
    return [mail.get_content() for to, mail in post.box.mails if to == [BOB] and "invited" in mail["subject"]]


def mailed_token(post: Post) -> str:
    found = TOKEN.search(to_bob(post)[-1])
    assert found is not None
    return found[0]


async def test_the_mailed_token_and_the_administrators_open_the_same_invitation(post_on_both: Post) -> None:
    post = post_on_both
    ana = await post.plane.register()
    answer = await invited(ana)
    assert answer["mailed"] is True
    await post.room.deliver()
    await post.room.deliver()
    (text,) = to_bob(post)
    token = mailed_token(post)
    assert f"http://127.0.0.1:8000/accept-invitation#token={token}" in text
    assert token != answer["token"]
    assert "DEVELOPER" in text
    bob = await post.plane.register(BOB, "Bob")
    assert (await ana.http.post(ACCEPT, json={"token": token})).status_code == 404
    joined = await bob.http.post(ACCEPT, json={"token": token})
    assert (joined.json()["id"], joined.json()["role"]) == (ana.me["workspace_id"], "DEVELOPER")
    for used in (token, answer["token"]):
        assert (await bob.http.post(ACCEPT, json={"token": used})).status_code == 404


async def test_the_administrators_token_goes_on_working(post: Post) -> None:
    ana, bob = await post.plane.register(), await post.plane.register(BOB, "Bob")
    answer = await invited(ana)
    await post.room.deliver()
    assert (await bob.http.post(ACCEPT, json={"token": answer["token"]})).status_code == 200


async def test_what_the_mail_server_does_not_take_is_mailed_later_with_another_token(post: Post) -> None:
    ana, bob = await post.plane.register(), await post.plane.register(BOB, "Bob")
    await post.room.deliver()
    await invited(ana)
    post.box.refusing = True
    await post.room.deliver()
    assert to_bob(post) == []
    post.box.refusing = False
    post.plane.clock.advance(16)
    await post.room.deliver()
    assert len(to_bob(post)) == 1
    assert (await bob.http.post(ACCEPT, json={"token": mailed_token(post)})).status_code == 200


async def test_a_mail_that_was_given_up_is_asked_for_again(post: Post) -> None:
    ana = await post.plane.register()
    await invited(ana)
    post.box.refusing = True
    for _ in range(13):
        await post.room.deliver()
        post.plane.clock.advance(901)
    post.box.refusing = False
    post.plane.clock.advance(901)
    await post.room.deliver()
    assert len(to_bob(post)) == 1


async def test_an_address_gets_one_such_mail_a_minute_whoever_invites_it(post: Post) -> None:
    ana, eve = await post.plane.register(), await post.plane.register("eve@example.org", "Eve")
    await invited(ana)
    await post.room.deliver()
    second, third = await invited(ana, "VIEWER"), await invited(eve, "ADMIN")
    await post.room.deliver()
    assert len(to_bob(post)) == 1
    assert (second["mailed"], third["mailed"]) == (True, True)
    post.plane.clock.advance(61)
    await post.room.deliver()
    first, both = to_bob(post)
    assert len({mail["message-id"] for _, mail in post.box.mails}) == len(post.box.mails)
    assert "VIEWER" not in first
    assert ("VIEWER" in both, "ADMIN" in both, "DEVELOPER" in both) == (True, True, False)


async def test_what_was_taken_back_is_not_mailed(post: Post) -> None:
    ana = await post.plane.register()
    url = f"/v1/workspaces/{ana.me['workspace_id']}/invitations"
    await invited(ana)
    post.box.refusing = True
    await post.room.deliver()
    (waiting,) = (await ana.http.get(url)).json()["items"]
    assert (await ana.http.delete(f"{url}/{waiting['id']}")).status_code == 204
    post.box.refusing = False
    post.plane.clock.advance(61)
    await post.room.deliver()
    assert to_bob(post) == []


async def test_while_too_many_mails_wait_an_invitation_does_too(
    tmp_path: Path, box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with posting(tmp_path / "home", box) as post:
        ana = await post.plane.register()
        await post.room.deliver()
        await invited(ana)
        monkeypatch.setattr("mutx.resources.auth.requests.MOST", 0)
        await post.room.deliver()
        assert to_bob(post) == []
        monkeypatch.undo()
        await post.room.deliver()
        assert len(to_bob(post)) == 1


async def test_without_a_mail_server_the_administrator_hands_the_token_over(plane: Plane) -> None:
    assert (await invited(await plane.register()))["mailed"] is False
