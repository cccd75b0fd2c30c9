"""What several slices refuse or leave out: small stories that belong together only by that."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from mutx.governance.policy_bundle import BundledPolicy, PolicyBundle
from mutx.governance.turn import Event
from mutx.kit.errors import PermissionDenied, PolicyInvalid, VerificationFailed
from mutx.resources.audit.evidence import AuditEvidence
from mutx.resources.policies.mirror import PolicyMirror
from mutx.server.sinks import _approvers as approvers_of
from tests.resources.governed import Governed, governed
from tests.resources.workspaces.test_workspaces import joined
from tests.server.plane import Plane, running


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with running(tmp_path / "home") as made:
        yield made


@pytest.fixture
async def deciding(tmp_path: Path) -> AsyncIterator[Governed]:
    async with governed(tmp_path / "deciding", "") as made:
        yield made


async def test_of_a_workspace_what_is_not_there_cannot_be_changed(plane: Plane) -> None:
    ana = await plane.register()
    bob = await joined(plane, ana, await plane.register("bob@example.org", "Bob"), "VIEWER")
    members = f"/v1/workspaces/{ana.me['workspace_id']}/members"
    assert (await ana.http.delete(f"{members}/{uuid4()}")).status_code == 404
    assert (await ana.http.put(members, json={"email": "nobody@example.org", "role": "VIEWER"})).status_code == 404
    promoted = await ana.http.put(members, json={"email": bob.email, "role": "ADMIN"})
    assert (promoted.status_code, promoted.json()["role"]) == (200, "ADMIN")


async def test_keys_are_listed_to_their_owner_and_end_no_login(plane: Plane) -> None:
    ana = await plane.register()
    bob = await joined(plane, ana, await plane.register("bob@example.org", "Bob"), "DEVELOPER")
    for person in (ana, bob):
        made = await person.http.post("/v1/api-keys", json={"name": f"of {person.me['name']}"})
        assert made.status_code == 201, made.text
    assert [key["name"] for key in (await bob.http.get("/v1/api-keys")).json()["items"]] == ["of Bob"]
    answer = await plane.client(made.json()["key"]).post("/v1/auth/logout")
    assert (answer.status_code, "an API key is no login" in answer.text) == (422, True)
    manage = {"effect": "deny", "verb": "manage", "principal_type": "user", "principal": bob.me["id"], "tool": "pay"}
    assert (await ana.http.post("/v1/permissions", json=manage)).status_code == 422
    assert (await plane.client().get("/v1/auth/sso")).json() == {"providers": []}


async def test_a_control_plane_that_supervises_nothing_still_has_the_kill_switch(plane: Plane) -> None:
    ana = await plane.register()
    made = (await ana.http.post("/v1/agents/register", json={"name": "scout"})).json()
    agent = made["agent_id"]
    bot = plane.client(made["api_key"])
    acknowledged = await bot.post(
        "/v1/agents/commands/acknowledge", json={"agent_id": agent, "command_id": str(uuid4()), "success": True}
    )
    assert (acknowledged.status_code, acknowledged.json()["code"]) == (404, "not_found")
    supervised = "/v1/runtime/governance/supervised"
    assert (await ana.http.get(f"{supervised}/status")).status_code == 503
    killed = await ana.http.post(f"{supervised}/{agent}/kill", json={"reason": "it spends too much"})
    assert killed.status_code == 200, killed.text
    assert [one["agent_id"] for one in (await ana.http.get(f"{supervised}/kills")).json()["items"]] == [agent]


async def test_a_bundle_is_answered_when_there_is_a_newer_one(deciding: Governed) -> None:
    ana = await deciding.person()
    assert (await ana.get("/v1/policies/bundle")).json()["envelope"]
    await ana.apply()
    first = (await ana.get("/v1/policies/bundle", known=-1)).json()
    same = (await ana.get("/v1/policies/bundle", known=first["revision"], wait=0.1)).json()
    assert (same["revision"], same["envelope"]) == (first["revision"], None)
    await ana.apply(name="shop", document="name: shop\ndefault: deny\n")
    newer = (await ana.get("/v1/policies/bundle", known=first["revision"], wait=5)).json()
    assert newer["revision"] == first["revision"] + 1
    assert newer["envelope"]


async def test_a_bundle_with_a_kind_of_a_newer_version_is_not_taken(deciding: Governed) -> None:
    ana = await deciding.person()
    caller = deciding.agent(ana)
    mirror = PolicyMirror(deciding.services.database, deciding.engines, deciding.clock, caller, "elsewhere")
    policy = BundledPolicy(name="p", version=1, kind="unheard-of", document="", digest="d")
    bundle = PolicyBundle(
        v=1, workspace="w", revision=1, policy_version="p", at="2026-01-01T00:00:00Z", policies=(policy,)
    )
    with pytest.raises(PolicyInvalid, match="does not know"):
        await mirror.take(bundle)
    swapped = replace(policy, kind="set", document="name: p\ndefault: deny\n")
    with pytest.raises(VerificationFailed, match="not those of its policy version"):
        await mirror.take(replace(bundle, policies=(swapped,)))
    answer = await ana.http.put("/v1/policies/shop", json={"name": "shop", "document": "name: shop\ndefault: deny\n"})
    assert (answer.status_code, "come from elsewhere" in answer.text) == (409, True)


async def test_all_erased_values_are_named(deciding: Governed) -> None:
    ana = await deciding.person()
    await ana.apply()
    agent = deciding.agent(ana)
    answer = await deciding.decide(agent, "mail", body="078-05-1120")
    await deciding.conclude(agent, answer, "sent")
    receipts = (await ana.get("/v1/security/receipts/session/afternoon")).json()["receipts"]
    for receipt in receipts:
        await deciding.services.ledger.erase(ana.workspace_id, receipt["receipt_id"])
    receipts = (await ana.get("/v1/security/receipts/session/afternoon")).json()["receipts"]
    assert [receipt["erased"] for receipt in receipts] == [
        ["tool_args", "modified_args"],
        ["tool_args", "modified_args", "result"],
    ]


async def test_questions_are_mailed_to_those_who_may_answer_them(plane: Plane) -> None:
    ana = await plane.register()
    bob = await joined(plane, ana, await plane.register("bob@example.org", "Bob"), "DEVELOPER")
    told = approvers_of(plane.services.database)

    async def asked(event: str, users: list[str], roles: list[str]) -> list[str]:
        payload = {"event": event, "users": users, "roles": roles, "escalate_to": ["ADMIN"]}
        workspace_id = ana.me["workspace_id"]
        return list(await told(Event(topic="aarm.approval", workspace_id=workspace_id, at=0.0, payload=payload)))

    assert await asked("asked", [], ["DEVELOPER"]) == [bob.email]
    assert await asked("asked", [ana.email], ["DEVELOPER"]) == [ana.email]
    assert await asked("escalated", [bob.me["id"]], []) == [ana.email, bob.email]


async def test_evidence_is_for_who_may_see_the_whole_log(deciding: Governed) -> None:
    ana = await deciding.person()
    services, agent = deciding.services, deciding.agent(ana)
    async with services.database.read() as session:
        with pytest.raises(PermissionDenied, match="AUDIT_ADMIN"):
            AuditEvidence(services.ledger, session, services.keys, services.sealer, services.signer, agent)


async def test_what_a_workspace_has_of_a_thing_is_bounded(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutx.resources.workspaces.service.MAX_OWNED", 2)
    monkeypatch.setattr("mutx.resources.workspaces.invitations.MAX_OPEN", 1)
    monkeypatch.setattr("mutx.resources.permissions.service.MAX_PERMISSIONS", 1)
    ana = await plane.register()
    workspace = f"/v1/workspaces/{ana.me['workspace_id']}"
    limit = {"effect": "deny", "verb": "act", "principal_type": "user", "principal": ana.me["id"], "tool": "pay"}
    for path, body, other in (
        ("/v1/workspaces", {"name": "lab"}, {"name": "shop"}),
        (
            f"{workspace}/invitations",
            {"email": "a@example.org", "role": "VIEWER"},
            {"email": "b@example.org", "role": "VIEWER"},
        ),
        ("/v1/permissions", limit, {**limit, "tool": "mail"}),
    ):
        first, second = [await ana.http.post(path, json=each) for each in (body, other)]
        assert (first.status_code, second.status_code, second.json()["code"]) == (201, 409, "conflict"), first.text
