"""Stories of changing policy: what the API shows is what is enforced, at once, and nothing else ever is."""

import asyncio
import json
from typing import Any

import pytest

from mutx.governance.types import Effect, ReasonCode
from mutx.resources.policies.engines import PolicyEngines
from mutx.resources.policies.follow import policy_changes
from mutx.resources.policies.service import PolicyStore
from tests.resources.governed import POLICY, Governed

SHORT = [
    {"type": "block", "pattern": "drop_*", "action": "deny", "scope": "tool"},
    {"type": "warn", "pattern": "mail*", "action": "alert", "scope": "tool"},
    {"type": "allow", "pattern": "pay", "action": "require_approval", "scope": "tool"},
    {"type": "allow", "pattern": "*", "action": "allow", "scope": "tool"},
    {"type": "block", "pattern": "(?i)ignore previous", "action": "deny", "scope": "input"},
    {"type": "warn", "pattern": "[0-9]{16}", "action": "looks like a card", "scope": "output"},
]

BROKEN = """name: shop
default: deny
rules:
  - {id: a, effect: perhaps}
  - {id: b, effect: allow, when: "args.amount >"}
"""


async def test_without_a_policy_everything_is_denied_and_says_what_to_do(plane: Governed) -> None:
    ana = await plane.person()
    answer = await plane.decide(plane.agent(ana), "read_stock")
    assert answer.effect is Effect.DENY
    assert "mutx policies apply" in answer.decision.reason


async def test_a_change_is_in_force_when_the_put_answers(plane: Governed) -> None:
    ana = await plane.person()
    agent = plane.agent(ana)
    await ana.apply()
    assert (await plane.decide(agent, "read_stock")).effect is Effect.ALLOW
    changed = await ana.apply(POLICY.replace('tool: "read_*"}, effect: allow', 'tool: "read_*"}, effect: deny'))
    assert changed["version"] == 2
    assert (await plane.decide(agent, "read_stock")).effect is Effect.DENY
    assert (await ana.http.delete("/v1/policies/shop")).status_code == 204
    assert "mutx policies apply" in (await plane.decide(agent, "read_stock")).decision.reason


async def test_another_process_sees_a_change_at_its_next_refresh(plane: Governed) -> None:
    ana = await plane.person()
    elsewhere = PolicyEngines(plane.services.database, plane.services.bus)
    before = await elsewhere.load(ana.workspace_id)
    await ana.apply()
    assert elsewhere.current(ana.workspace_id) is before
    await elsewhere.refresh()
    present = elsewhere.current(ana.workspace_id)
    assert present is not None
    assert present.version == plane.engines.current(ana.workspace_id).version


async def test_a_policy_that_does_not_compile_is_refused_whole(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    answer = await ana.http.put("/v1/policies/shop", json={"name": "shop", "document": BROKEN})
    assert (answer.status_code, answer.json()["code"]) == (422, "policy_invalid")
    assert {problem["line"] for problem in answer.json()["details"]["problems"]} == {4, 5}
    shown = (await ana.get("/v1/policies/shop")).json()
    assert (shown["version"], shown["document"]) == (1, POLICY)
    assert (await plane.decide(plane.agent(ana), "read_stock")).effect is Effect.ALLOW


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("name: shop\nrules: [{id: a, effect: allow, when: 'args.x == sesion.calls'}]", "unknown_variable"),
        (
            "name: shop\nrules: [{id: a, effect: step_up, timeout: 60s, escalate: {after: 90s}}]",
            "escalation_after_expiry",
        ),
    ],
)
async def test_what_can_never_work_is_refused(plane: Governed, document: str, code: str) -> None:
    ana = await plane.person()
    answer = await ana.post("/v1/policies", {"name": "shop", "document": document})
    assert answer.status_code == 422, answer.text
    assert [problem["code"] for problem in answer.json()["details"]["problems"]] == [code]
    assert (await ana.get("/v1/policies")).json() == []


async def test_the_server_sets_what_is_the_servers(plane: Governed) -> None:
    ana = await plane.person()
    body = {"name": "rules", "rules": SHORT, "enabled": True, "id": "mine", "version": 99}
    answer = await ana.post("/v1/policies", body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["id"] != "mine"
    assert (made["version"], made["rules"], made["kind"], made["document"]) == (1, SHORT, "short", None)
    sent_back = await ana.http.put("/v1/policies/rules", json=made)
    assert sent_back.json() == made, "the same content is no new version"


async def test_names_are_taken_once(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    again = await ana.post("/v1/policies", {"name": "shop", "document": POLICY})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "no spaces", "rules": []},
        {"name": "../x", "rules": []},
        {"name": "shop", "rules": SHORT, "document": POLICY},
        {"name": "shop", "rules": [{"type": "maybe", "pattern": "x", "action": "", "scope": "tool"}]},
        {"name": "shop", "rules": [{"type": "block", "pattern": "(", "action": "", "scope": "input"}]},
        {"name": "other", "document": POLICY},
        {"name": "shop", "surprise": 1},
    ],
)
async def test_bad_bodies_are_refused(plane: Governed, body: dict[str, Any]) -> None:
    ana = await plane.person()
    assert (await ana.post("/v1/policies", body)).status_code == 422


async def test_a_policy_cannot_be_renamed(plane: Governed) -> None:
    ana = await plane.person()
    answer = await ana.http.put("/v1/policies/other", json={"name": "shop", "document": POLICY})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_versions_stay_and_go_on_counting(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    await ana.apply(POLICY.replace("never dropped", "never ever dropped"))
    await ana.http.delete("/v1/policies/shop")
    await ana.apply()
    versions = (await ana.get("/v1/policies/shop/versions")).json()
    assert [(v["version"], v["change"]) for v in versions] == [
        (4, "created"),
        (3, "deleted"),
        (2, "updated"),
        (1, "created"),
    ]
    assert versions[0]["digest"] == versions[3]["digest"] != versions[2]["digest"]
    assert versions[3]["document"] == POLICY
    assert {v["changed_by"] for v in versions} == {ana.user_id}


async def test_a_decisions_policy_version_can_be_resolved_after_the_policy_is_gone(plane: Governed) -> None:
    ana = await plane.person()
    made = await ana.apply()
    await ana.post("/v1/policies", {"name": "rules", "rules": SHORT})
    decided = await plane.decide(plane.agent(ana), "drop")
    await ana.http.delete("/v1/policies/shop")
    record = (await ana.get(f"/v1/policies/snapshots/{decided.decision.policy_version}")).json()
    assert [member["name"] for member in record["members"]] == ["rules", "shop"]
    assert record["members"][1] == {"name": "shop", "version": 1, "digest": made["digest"]}
    assert (await ana.get("/v1/policies/snapshots/never")).status_code == 404


async def test_a_disabled_policy_is_kept_and_not_in_force(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    await ana.http.put("/v1/policies/shop", json={"name": "shop", "document": POLICY, "enabled": False})
    assert (await plane.decide(plane.agent(ana), "read_stock")).effect is Effect.DENY
    assert (await ana.get("/v1/policies/shop")).json()["enabled"] is False


async def test_another_tenant_sees_and_changes_nothing(plane: Governed) -> None:
    ana, bob = await plane.person("ana"), await plane.person("bob")
    await ana.apply()
    for answer in (
        await bob.get("/v1/policies/shop"),
        await bob.get("/v1/policies/shop/versions"),
        await bob.http.delete("/v1/policies/shop"),
        await bob.post("/v1/policies/shop/reload"),
    ):
        assert answer.status_code == 404
    assert (await bob.get("/v1/policies")).json() == []
    assert (await plane.decide(plane.agent(bob), "read_stock")).effect is Effect.DENY
    assert (await plane.decide(plane.agent(ana), "read_stock")).effect is Effect.ALLOW


async def test_changes_at_the_same_time_all_take_effect(plane: Governed) -> None:
    ana = await plane.person()
    documents = {
        f"p{n}": f"name: p{n}\ndefault: deny\nrules: [{{id: r, match: {{tool: t{n}}}, effect: allow}}]"
        for n in range(4)
    }
    await asyncio.gather(*(ana.apply(document, name) for name, document in documents.items()))
    for n in range(4):
        assert (await plane.decide(plane.agent(ana), f"t{n}")).effect is Effect.ALLOW


async def test_reload_reads_the_store_again(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    answer = (await ana.post("/v1/policies/shop/reload")).json()
    assert answer["policy_version"] == plane.engines.current(ana.workspace_id).version
    assert answer["version"] == 1


async def test_the_stream_tells_what_is_in_force_and_each_change(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listen() -> None:
        store = PolicyStore(plane.services.database, plane.engines, plane.clock, plane.agent(ana))
        async for event in policy_changes(plane.services.bus, store):
            told.put_nowait(json.loads(event.data.model_dump_json()))

    listening = asyncio.create_task(listen())
    present = await told.get()
    await ana.apply(POLICY.replace("never dropped", "never ever dropped"))
    changed = await told.get()
    await ana.http.delete("/v1/policies/shop")
    removed = await told.get()
    listening.cancel()
    assert [(t["name"], t["version"], t["in_force"]) for t in (present, changed, removed)] == [
        ("shop", 1, True),
        ("shop", 2, True),
        ("shop", 2, False),
    ]


async def test_the_document_may_be_json(plane: Governed) -> None:
    ana = await plane.person()
    document = json.dumps({"name": "shop", "default": "allow"})
    await ana.apply(document)
    answer = await plane.decide(plane.agent(ana), "anything")
    assert (answer.effect, answer.decision.reason_code) == (Effect.ALLOW, ReasonCode.DEFAULT)


async def test_viewers_may_look_and_not_touch(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    made = await ana.post("/v1/api-keys", {"name": "reader", "scopes": ["policies:read"]})
    assert made.status_code == 201, made.text
    reader = plane.client(made.json()["key"])
    assert (await reader.get("/v1/policies/shop")).status_code == 200
    refused = await reader.put("/v1/policies/shop", json={"name": "shop", "document": POLICY})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert (await plane.client().get("/v1/policies")).status_code == 401
