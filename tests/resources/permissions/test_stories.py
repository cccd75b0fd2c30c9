"""Stories of rights below the roles: who may act, approve and manage, for which agent and with which tool."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from msgspec import Struct

from mutx.server.wiring import ControlPlane
from tests.faults.world import PASSWORD, POLICY, call, client, post


class House(Struct, frozen=True):
    """Ana administers, Bob develops."""

    plane: ControlPlane
    ana: httpx2.AsyncClient
    bob: httpx2.AsyncClient
    bob_id: str
    workspace_id: str

    async def limit(self, effect: str, verb: str, principal_type: str, principal: str, **more: str) -> str:
        body = {"effect": effect, "verb": verb, "principal_type": principal_type, "principal": principal, **more}
        return (await post(self.ana, "/v1/permissions", body))["id"]

    async def key(self, http: httpx2.AsyncClient, **body: Any) -> tuple[str, httpx2.AsyncClient]:
        made = await post(http, "/v1/api-keys", {"name": "k", **body})
        return made["id"], client(self.plane, made["key"])


@pytest.fixture
async def house(plane: ControlPlane) -> AsyncIterator[House]:
    async with client(plane) as nobody:
        people = {}
        for name in ("ana", "bob"):
            account = {"email": f"{name}@example.org", "name": name, "password": PASSWORD}
            people[name] = (await post(nobody, "/v1/auth/register", account))["access_token"]
        ana = client(plane, people["ana"])
        workspace = (await ana.get("/v1/auth/me")).json()["workspace_id"]
        member = {"email": "bob@example.org", "role": "DEVELOPER"}
        await ana.put(f"/v1/workspaces/{workspace}/members", json=member)
        login = {"email": "bob@example.org", "password": PASSWORD, "workspace_id": workspace}
        bob = client(plane, (await post(nobody, "/v1/auth/login", login))["access_token"])
    await post(ana, "/v1/policies", {"name": "house", "document": POLICY})
    yield House(plane, ana, bob, (await bob.get("/v1/auth/me")).json()["id"], workspace)
    await ana.aclose()
    await bob.aclose()


async def decided(http: httpx2.AsyncClient, tool: str, **more: Any) -> dict[str, Any]:
    return await post(http, "/v1/governance/decide", call(tool, **more))


async def test_a_denied_tool_is_denied_with_a_receipt_and_allowed_again(house: House) -> None:
    assert (await decided(house.bob, "read"))["effect"] == "allow"
    limit = await house.limit("deny", "act", "user", house.bob_id, tool="read*")
    answer = await decided(house.bob, "read")
    assert (answer["effect"], answer["reason_code"]) == ("deny", "not_permitted")
    receipt = (await house.ana.get(f"/v1/security/receipts/{answer['receipt_id']}")).json()
    assert limit in receipt["decision_reason"]
    assert (await decided(house.ana, "read"))["effect"] == "allow"
    assert (await house.ana.delete(f"/v1/permissions/{limit}")).status_code == 204
    assert (await decided(house.bob, "read"))["effect"] == "allow"


async def test_a_key_acts_for_the_agents_it_is_granted(house: House) -> None:
    key_id, http = await house.key(house.bob)
    await house.limit("allow", "act", "api_key", key_id, agent="bot")
    assert (await decided(http, "read"))["effect"] == "allow"
    assert (await decided(http, "read", _agent_id="other"))["reason_code"] == "not_permitted"
    assert (await decided(house.bob, "read", _agent_id="other", _session_id="t"))["effect"] == "allow"
    await http.aclose()


async def test_what_is_taken_away_while_a_call_waits_holds_when_it_is_released(house: House) -> None:
    waiting = await decided(house.bob, "pay")
    await house.limit("deny", "act", "user", house.bob_id, tool="pay")
    verdict = {"request_id": waiting["approval"]["request_id"], "verdict": "approve"}
    answer = await post(house.ana, "/v1/governance/resolve", verdict)
    assert (answer["effect"], answer["reason_code"]) == ("deny", "not_permitted")


async def test_who_may_approve_for_which_agent(house: House) -> None:
    await house.limit("deny", "approve", "role", "DEVELOPER", agent="bot", tool="pay")
    ours, theirs = await decided(house.ana, "pay"), await decided(house.ana, "pay", _agent_id="other", _session_id="t")
    for waiting, status in ((ours, 403), (theirs, 200)):
        path = f"/v1/approvals/{waiting['approval']['request_id']}/approve"
        assert (await house.bob.post(path, json={})).status_code == status


async def test_who_may_manage_which_agent(house: House) -> None:
    mine = await post(house.ana, "/v1/agents/register", {"name": "mine"})
    other = await post(house.ana, "/v1/agents/register", {"name": "other"})
    await house.limit("allow", "manage", "user", house.bob_id, agent=mine["agent_id"])
    for agent, status in ((mine, 200), (other, 403)):
        url = f"/v1/agents/{agent['agent_id']}"
        assert (await house.bob.get(url)).status_code == 200
        sent = await house.bob.post(f"{url}/commands", json={"action": "restart"})
        assert sent.is_success is (status == 200)
        assert (await house.bob.patch(f"{url}/config", json={"config": {"image": "x"}})).status_code == status
        assert (await house.bob.delete(url)).is_success is (status == 200)


async def test_permissions_are_for_administrators_and_about_the_workspaces_own(house: House) -> None:
    body = {"effect": "deny", "verb": "act", "principal_type": "user", "principal": house.bob_id}
    assert (await house.bob.post("/v1/permissions", json=body)).status_code == 403
    for wrong in ({"principal": str(uuid4())}, {"principal_type": "role"}, {"principal_type": "api_key"}):
        assert (await house.ana.post("/v1/permissions", json={**body, **wrong})).status_code == 404
    managed = {**body, "verb": "manage", "tool": "pay"}
    assert (await house.ana.post("/v1/permissions", json=managed)).status_code == 422
    assert (await house.ana.delete(f"/v1/permissions/{uuid4()}")).status_code == 404
    await house.limit("deny", "act", "user", house.bob_id)
    listed = (await house.bob.get("/v1/permissions")).json()
    assert [(p["effect"], p["agent"], p["tool"]) for p in listed["items"]] == [("deny", "*", "*")]


async def test_a_coding_agents_key_stays_in_its_lane(house: House) -> None:
    """It acts with its role, approves nothing, makes no keys, and every receipt says whose lane it was."""
    key_id, http = await house.key(house.ana, lane="fix-ci", role="DEVELOPER", scopes=["admin"])
    about = (await http.get("/v1/auth/me")).json()
    assert (about["roles"], about["scopes"]) == (["DEVELOPER"], ["write"])
    answer = await decided(http, "read")
    receipt = (await house.ana.get(f"/v1/security/receipts/{answer['receipt_id']}")).json()
    payload = _payload(receipt)
    assert payload["identity"]["principal"] == key_id
    assert payload["identity"]["delegation"] == [about["id"], "lane:fix-ci"]
    waiting = await decided(house.bob, "pay", _session_id="t")
    path = f"/v1/approvals/{waiting['approval']['request_id']}/approve"
    assert (await http.post(path, json={})).status_code == 403
    assert (await http.post("/v1/api-keys", json={"name": "more"})).status_code == 403
    assert (await http.post(f"/v1/api-keys/{key_id}/rotate")).status_code == 403
    assert (await http.post("/v1/agents/register", json={"name": "more"})).status_code == 403
    assert (await http.patch(f"/v1/workspaces/{house.workspace_id}", json={"name": "x"})).status_code == 403
    listed = (await house.ana.get(f"/v1/api-keys/{key_id}")).json()
    assert (listed["lane"], listed["role"], listed["expires_at"] is not None) == ("fix-ci", "DEVELOPER", True)
    await http.aclose()


async def test_a_key_never_exceeds_its_owner_of_the_moment(house: House) -> None:
    _, http = await house.key(house.bob, lane="fix-ci", role="DEVELOPER")
    assert (await http.post("/v1/agents", json={"name": "a"})).status_code == 201
    viewer = {"email": "bob@example.org", "role": "VIEWER"}
    await house.ana.put(f"/v1/workspaces/{house.workspace_id}/members", json=viewer)
    assert (await http.post("/v1/agents", json={"name": "b"})).status_code == 403
    assert (await http.get("/v1/auth/me")).json()["roles"] == ["VIEWER"]
    auditor = {"email": "bob@example.org", "role": "AUDIT_ADMIN"}
    await house.ana.put(f"/v1/workspaces/{house.workspace_id}/members", json=auditor)
    about = (await http.get("/v1/auth/me")).json()
    assert about["roles"] == []
    assert (await http.get("/v1/agents")).status_code == 403
    await http.aclose()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"role": "ADMIN"}, 403),
        ({"role": "AUDIT_ADMIN"}, 403),
        ({"lane": "x"}, 422),
        ({"lane": "X y", "role": "DEVELOPER"}, 422),
        ({"lane": "x", "role": "DEVELOPER", "expires_in_days": 91}, 422),
        ({"lane": "x", "role": "VIEWER", "expires_in_days": 1}, 201),
    ],
)
async def test_what_a_key_may_be_made_for(house: House, body: dict[str, Any], status: int) -> None:
    assert (await house.bob.post("/v1/api-keys", json={"name": "k", **body})).status_code == status


async def test_a_narrow_key_does_not_renew_a_wide_one(house: House) -> None:
    wide, _http = await house.key(house.ana, scopes=["admin"])
    _, narrow = await house.key(house.ana, scopes=["api_keys:write"])
    assert (await narrow.post(f"/v1/api-keys/{wide}/rotate")).status_code == 403
    assert (await house.ana.post(f"/v1/api-keys/{wide}/rotate")).status_code == 200
    await narrow.aclose()
    await _http.aclose()


def _payload(receipt: dict[str, Any]) -> dict[str, Any]:
    return json.loads(base64.b64decode(receipt["envelope"]["payload"]))
