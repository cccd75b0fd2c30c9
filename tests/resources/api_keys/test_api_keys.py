"""Stories of keys: shown once, narrowed, rotated, revoked."""

import pytest
from sqlalchemy import text

from mutx.resources.api_keys.jobs import record_key_uses
from tests.server.plane import PASSWORD, Person, Plane


async def made(person: Person, **wanted: object) -> dict:
    answer = await person.http.post("/v1/api-keys", json={"name": "ci", **wanted})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_key_is_shown_once_and_works_in_either_header(plane: Plane) -> None:
    ana = await plane.register()
    key = await made(ana)
    assert key["key"].startswith("mutx_live_")
    assert key["key"].startswith(key["hint"])
    for http in (plane.client(key["key"]), plane.client(**{"x-api-key": key["key"]})):
        assert (await http.get("/v1/auth/me")).json()["id"] == ana.me["id"]
    shown = (await ana.http.get(f"/v1/api-keys/{key['id']}")).json()
    assert "key" not in shown
    assert shown["is_active"]


async def test_the_secret_is_nowhere_in_the_database(plane: Plane) -> None:
    key = await made(await plane.register())
    async with plane.services.database.read() as session:
        rows = (await session.execute(text("select * from api_keys"))).all()
    assert key["key"] not in str(rows)


async def test_a_key_holds_no_more_than_it_was_given(plane: Plane) -> None:
    ana = await plane.register()
    http = plane.client((await made(ana, scopes=["agents:read"]))["key"])
    assert (await http.get("/v1/agents")).status_code == 200
    refused = await http.post("/v1/agents", json={"name": "scout"})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert "agents:write" in refused.json()["message"]


async def test_a_key_gives_no_key_more_than_itself(plane: Plane) -> None:
    ana = await plane.register()
    http = plane.client((await made(ana, scopes=["write"]))["key"])
    assert (await http.post("/v1/api-keys", json={"name": "more", "scopes": ["admin"]})).status_code == 403
    assert (await http.post("/v1/api-keys", json={"name": "less", "scopes": ["read"]})).status_code == 201


async def test_a_key_expires(plane: Plane) -> None:
    ana = await plane.register()
    key = await made(ana, expires_in_days=2)
    http = plane.client(key["key"])
    assert (await http.get("/v1/agents")).status_code == 200
    plane.clock.advance(2 * 86_400 + 1)
    assert (await http.get("/v1/agents")).status_code == 401


async def test_a_deleted_key_stops_at_once(plane: Plane) -> None:
    ana = await plane.register()
    key = await made(ana)
    http = plane.client(key["key"])
    assert (await http.get("/v1/agents")).status_code == 200
    assert (await ana.http.delete(f"/v1/api-keys/{key['id']}")).status_code == 204
    assert (await http.get("/v1/agents")).status_code == 401
    assert (await ana.http.get(f"/v1/api-keys/{key['id']}")).status_code == 404


async def test_rotating_stops_the_old_secret_at_once(plane: Plane) -> None:
    ana = await plane.register()
    old = await made(ana)
    new = (await ana.http.post(f"/v1/api-keys/{old['id']}/rotate")).json()
    assert new["id"] == old["id"]
    assert (await plane.client(old["key"]).get("/v1/agents")).status_code == 401
    assert (await plane.client(new["key"]).get("/v1/agents")).status_code == 200


async def test_rotating_with_an_overlap(plane: Plane) -> None:
    ana = await plane.register()
    old = await made(ana)
    rotated = await ana.http.post(f"/v1/api-keys/{old['id']}/rotate", json={"overlap_seconds": 60})
    for key in (old["key"], rotated.json()["key"]):
        assert (await plane.client(key).get("/v1/agents")).status_code == 200
    plane.clock.advance(61)
    assert (await plane.client(old["key"]).get("/v1/agents")).status_code == 401
    assert (await plane.client(rotated.json()["key"]).get("/v1/agents")).status_code == 200


async def test_last_use_is_written_in_batches(plane: Plane) -> None:
    ana = await plane.register()
    key = await made(ana)
    await plane.client(key["key"]).get("/v1/agents")
    assert (await ana.http.get(f"/v1/api-keys/{key['id']}")).json()["last_used"] is None
    await record_key_uses(plane.services.database, plane.services.auth)
    assert (await ana.http.get(f"/v1/api-keys/{key['id']}")).json()["last_used"] is not None
    assert not plane.services.auth.key_uses


async def test_keys_page_newest_first(plane: Plane) -> None:
    ana = await plane.register()
    for number in range(3):
        plane.clock.advance(1)
        await made(ana, name=f"key {number}")
    page = (await ana.http.get("/v1/api-keys", params={"skip": 1, "limit": 1})).json()
    assert [key["name"] for key in page["items"]] == ["key 1"]
    assert (page["total"], page["skip"], page["limit"], page["has_more"]) == (3, 1, 1, True)


@pytest.mark.parametrize("method", ["get", "delete"])
async def test_another_workspaces_key_is_not_found(plane: Plane, method: str) -> None:
    ana, bob = await plane.register(), await plane.register("bob@example.org", "Bob")
    key = await made(ana)
    assert (await getattr(bob.http, method)(f"/v1/api-keys/{key['id']}")).status_code == 404
    assert (await bob.http.post(f"/v1/api-keys/{key['id']}/rotate")).status_code == 404
    assert (await plane.client(key["key"]).get("/v1/agents")).status_code == 200


async def test_what_is_no_credential_is_refused(plane: Plane) -> None:
    for token in ("mutx_live_nothing", "mutx_agent_nothing", "not.a.token", "x" * 5000, "eyJhbGciOiJub25lIn0.e30."):
        answer = await plane.client(token).get("/v1/agents")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    basic = await plane.client(authorization="Basic YTpi").get("/v1/agents")
    assert basic.status_code == 401


async def test_a_narrow_key_gets_no_wider_secret_by_rotating(plane: Plane) -> None:
    """Whoever may manage keys could else turn that into everything its owner may do."""
    ana = await plane.register()
    wide = await made(ana, scopes=["admin"])
    narrow = await made(ana, scopes=["api_keys:write"])
    http = plane.client(narrow["key"])
    answer = await http.post(f"/v1/api-keys/{wide['id']}/rotate")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    agent = (await ana.http.post("/v1/agents/register", json={"name": "a"})).json()
    (agents_key,) = [key for key in (await ana.http.get("/v1/api-keys")).json()["items"] if key["kind"] == "agent"]
    assert (await http.post(f"/v1/api-keys/{agents_key['id']}/rotate")).status_code == 403
    rotated = (await ana.http.post(f"/v1/api-keys/{agents_key['id']}/rotate", json={"overlap_seconds": 60})).json()
    assert rotated["key"].startswith("mutx_agent_")
    for key in (agent["api_key"], rotated["key"]):
        assert (await plane.identities.resolve(key)).agent_id == agent["agent_id"]


async def test_an_administrator_does_not_become_a_colleague_by_rotating_their_key(plane: Plane) -> None:
    ana, bob = await plane.register(), await plane.register("bob@example.org", "Bob")
    workspace = ana.me["workspace_id"]
    await ana.http.put(f"/v1/workspaces/{workspace}/members", json={"email": bob.email, "role": "DEVELOPER"})
    login = {"email": bob.email, "password": PASSWORD, "workspace_id": workspace}
    tokens = (await plane.client().post("/v1/auth/login", json=login)).json()
    his = (await plane.client(tokens["access_token"]).post("/v1/api-keys", json={"name": "his"})).json()
    assert (await ana.http.post(f"/v1/api-keys/{his['id']}/rotate")).status_code == 403
    assert (await plane.client(his["key"]).get("/v1/agents")).status_code == 200
    assert (await ana.http.delete(f"/v1/api-keys/{his['id']}")).status_code == 204
    assert (await plane.client(his["key"]).get("/v1/agents")).status_code == 401


async def test_every_page_says_how_many_there_are(plane: Plane) -> None:
    ana = await plane.register()
    assert (await ana.http.get("/v1/api-keys")).json() == {
        "items": [],
        "total": 0,
        "skip": 0,
        "limit": 50,
        "has_more": False,
    }
    keys = []
    for number in range(3):
        plane.clock.advance(1)
        keys.append(await made(ana, name=f"key {number}"))
    pages = [(await ana.http.get("/v1/api-keys", params={"skip": skip, "limit": 2})).json() for skip in (0, 2, 4)]
    assert [[item["name"] for item in page["items"]] for page in pages] == [["key 2", "key 1"], ["key 0"], []]
    assert [(page["total"], page["has_more"]) for page in pages] == [(3, True), (3, False), (3, False)]
    assert pages[1]["items"] == [(await ana.http.get(f"/v1/api-keys/{keys[0]['id']}")).json()]
