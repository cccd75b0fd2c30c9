"""Stories of working together."""

from tests.server.plane import PASSWORD, Person, Plane


async def joined(plane: Plane, owner: Person, person: Person, role: str) -> Person:
    """`person`, signed in to `owner`'s workspace."""
    workspace = owner.me["workspace_id"]
    answer = await owner.http.put(f"/v1/workspaces/{workspace}/members", json={"email": person.email, "role": role})
    assert answer.status_code == 200, answer.text
    body = {"email": person.email, "password": PASSWORD, "workspace_id": workspace}
    tokens = (await plane.client().post("/v1/auth/login", json=body)).json()
    http = plane.client(tokens["access_token"])
    return Person(http, person.email, tokens, (await http.get("/v1/auth/me")).json())


async def test_a_member_works_with_the_role_given(plane: Plane) -> None:
    ana = await plane.register()
    bob = await joined(plane, ana, await plane.register("bob@example.org", "Bob"), "VIEWER")
    assert (bob.me["workspace_id"], bob.me["roles"]) == (ana.me["workspace_id"], ["VIEWER"])
    await ana.http.post("/v1/agents", json={"name": "scout"})
    assert (await bob.http.get("/v1/agents")).json()["total"] == 1
    assert (await bob.http.post("/v1/agents", json={"name": "mine"})).status_code == 403
    members = (await bob.http.get(f"/v1/workspaces/{ana.me['workspace_id']}/members")).json()
    assert [(m["email"], m["role"]) for m in members["items"]] == [(ana.email, "ADMIN"), (bob.email, "VIEWER")]


async def test_a_changed_role_and_a_removed_member_count_at_once(plane: Plane) -> None:
    ana = await plane.register()
    bob = await joined(plane, ana, await plane.register("bob@example.org", "Bob"), "DEVELOPER")
    assert (await bob.http.post("/v1/agents", json={"name": "mine"})).status_code == 201
    url = f"/v1/workspaces/{ana.me['workspace_id']}/members"
    await ana.http.put(url, json={"email": bob.email, "role": "VIEWER"})
    assert (await bob.http.post("/v1/agents", json={"name": "more"})).status_code == 403
    assert (await ana.http.delete(f"{url}/{bob.me['id']}")).status_code == 204
    assert (await bob.http.get("/v1/agents")).status_code == 401


async def test_only_administrators_change_a_workspace(plane: Plane) -> None:
    ana = await plane.register()
    bob = await joined(plane, ana, await plane.register("bob@example.org", "Bob"), "DEVELOPER")
    url = f"/v1/workspaces/{ana.me['workspace_id']}"
    assert (await bob.http.patch(url, json={"own_approvals": False})).status_code == 403
    changed = (await ana.http.patch(url, json={"own_approvals": False, "name": "Lab"})).json()
    assert (changed["own_approvals"], changed["name"]) == (False, "Lab")
    assert not await plane.identities.may_approve_own(ana.me["workspace_id"])


async def test_the_last_administrator_stays(plane: Plane) -> None:
    ana = await plane.register()
    url = f"/v1/workspaces/{ana.me['workspace_id']}/members"
    demoted = await ana.http.put(url, json={"email": ana.email, "role": "VIEWER"})
    assert (demoted.status_code, demoted.json()["code"]) == (409, "conflict")
    assert (await ana.http.delete(f"{url}/{ana.me['id']}")).status_code == 409


async def test_another_workspace_is_not_found(plane: Plane) -> None:
    ana, bob = await plane.register(), await plane.register("bob@example.org", "Bob")
    url = f"/v1/workspaces/{ana.me['workspace_id']}"
    answers = [
        await bob.http.get(url),
        await bob.http.patch(url, json={"name": "Mine"}),
        await bob.http.get(f"{url}/members"),
        await bob.http.put(f"{url}/members", json={"email": bob.email, "role": "ADMIN"}),
        await bob.http.delete(f"{url}/members/{ana.me['id']}"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    body = {"email": bob.email, "password": PASSWORD, "workspace_id": ana.me["workspace_id"]}
    assert (await plane.client().post("/v1/auth/login", json=body)).status_code == 404


async def test_nobody_joins_who_has_no_account(plane: Plane) -> None:
    ana = await plane.register()
    url = f"/v1/workspaces/{ana.me['workspace_id']}/members"
    assert (await ana.http.put(url, json={"email": "eve@example.org", "role": "VIEWER"})).status_code == 404


async def test_callers_are_asked_for_again_with_todays_roles(plane: Plane) -> None:
    ana = await plane.register()
    bob = await joined(plane, ana, await plane.register("bob@example.org", "Bob"), "DEVELOPER")
    caller = await plane.identities.resolve(bob.tokens["access_token"])
    url = f"/v1/workspaces/{ana.me['workspace_id']}/members"
    await ana.http.put(url, json={"email": bob.email, "role": "VIEWER"})
    today = await plane.identities.current(caller)
    assert today is not None
    assert today.roles == ("VIEWER",)
    await ana.http.delete(f"{url}/{bob.me['id']}")
    assert await plane.identities.current(caller) is None


async def test_a_shared_workspace_is_made_joined_and_left(plane: Plane) -> None:
    ana, bob = await plane.register(), await plane.register("bob@example.org", "Bob")
    lab = (await ana.http.post("/v1/workspaces", json={"name": "lab"})).json()
    assert (lab["personal"], lab["own_approvals"], lab["role"]) == (False, False, "ADMIN")
    there = await signed_in(plane, ana.email, lab["id"])
    invitations = f"/v1/workspaces/{lab['id']}/invitations"
    invited = (await there.http.post(invitations, json={"email": bob.email, "role": "DEVELOPER"})).json()
    listed = (await there.http.get(invitations)).json()
    assert [(i["email"], i["role"]) for i in listed["items"]] == [(bob.email, "DEVELOPER")]
    assert invited["token"] not in str(listed)
    accept = {"token": invited["token"]}
    assert (await ana.http.post("/v1/workspaces/invitations/accept", json=accept)).status_code == 404
    joined = await bob.http.post("/v1/workspaces/invitations/accept", json=accept)
    assert (joined.json()["id"], joined.json()["role"]) == (lab["id"], "DEVELOPER")
    assert (await bob.http.post("/v1/workspaces/invitations/accept", json=accept)).status_code == 404
    assert (await there.http.get(invitations)).json()["total"] == 0
    working = await signed_in(plane, bob.email, lab["id"])
    assert (await working.http.post(f"/v1/workspaces/{lab['id']}/leave")).status_code == 204
    assert (await working.http.get("/v1/agents")).status_code == 401
    assert (await there.http.post(f"/v1/workspaces/{lab['id']}/leave")).status_code == 409


async def test_an_invitation_ends_and_can_be_taken_back(plane: Plane) -> None:
    ana, bob = await plane.register(), await plane.register("bob@example.org", "Bob")
    url = f"/v1/workspaces/{ana.me['workspace_id']}/invitations"
    wanted = {"email": bob.email, "role": "VIEWER"}
    first, second, third = [(await ana.http.post(url, json=wanted)).json() for _ in range(3)]
    assert (await ana.http.delete(f"{url}/{first['id']}")).status_code == 204
    assert (await ana.http.delete(f"{url}/{first['id']}")).status_code == 404
    accept = "/v1/workspaces/invitations/accept"
    assert (await bob.http.post(accept, json={"token": first["token"]})).status_code == 404
    assert (await bob.http.post(accept, json={"token": second["token"]})).status_code == 200
    assert (await bob.http.post(accept, json={"token": third["token"]})).status_code == 409
    late = (await ana.http.post(url, json={"email": "eve@example.org", "role": "VIEWER"})).json()
    plane.clock.advance(8 * 86_400)
    ana = await signed_in(plane, ana.email, ana.me["workspace_id"])
    eve = await plane.register("eve@example.org", "Eve")
    assert (await eve.http.post(accept, json={"token": late["token"]})).status_code == 404
    assert (await ana.http.get(url)).json()["total"] == 0


async def test_programs_make_and_join_no_workspaces(plane: Plane) -> None:
    ana = await plane.register()
    key = (await ana.http.post("/v1/api-keys", json={"name": "ci"})).json()["key"]
    program = plane.client(key)
    assert (await program.post("/v1/workspaces", json={"name": "lab"})).status_code == 403
    assert (await program.post("/v1/workspaces/invitations/accept", json={"token": "x"})).status_code == 403


async def signed_in(plane: Plane, email: str, workspace_id: str) -> Person:
    body = {"email": email, "password": PASSWORD, "workspace_id": workspace_id}
    tokens = (await plane.client().post("/v1/auth/login", json=body)).json()
    http = plane.client(tokens["access_token"])
    return Person(http, email, tokens, (await http.get("/v1/auth/me")).json())
