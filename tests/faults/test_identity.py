"""Who may not: another tenant, a revoked key, a permit that is not what it says, an action id that means two things."""

import asyncio
from typing import Any

import pytest

from mutx.server.embedded import create
from tests.faults.world import DOORS, World, assert_refused, call, client, post


@pytest.mark.parametrize("door", DOORS)
async def test_another_tenants_ids_are_missing_ids(world: World, door: str) -> None:
    allowed, waiting = await world.decide("read", path="a"), await world.decide("pay", amount=5)
    before = await world.decisions()
    tries: list[tuple[str, dict[str, Any]]] = [
        ("status", {"action_id": allowed["action_id"]}),
        ("wait", {"action_id": waiting["action_id"]}),
        ("conclude", {"action_id": allowed["action_id"], "status": "executed"}),
        ("resolve", {"request_id": waiting["approval"]["request_id"], "verdict": "approve"}),
        ("resolve", {"request_id": waiting["approval"]["token"], "verdict": "approve"}),
    ]
    for verb, body in tries:
        answer = await world.ask(door, verb, body, world.stranger_token)
        assert answer.get("error", {}).get("code") == "not_found", (verb, answer)
        name, there = next(iter(body.items()))
        missing = await world.ask(door, verb, {**body, name: "0" * 36}, world.stranger_token)
        assert missing["error"]["message"].replace("0" * 36, there) == answer["error"]["message"]
    stolen = {"permit": allowed["permit"], "tool_args": {"path": "a"}}
    answer = await world.ask(door, "redeem", stolen, world.stranger_token)
    assert answer["error"]["code"] == "permit_refused"
    assert await world.decisions() == before
    assert "ok" in await world.ask(door, "redeem", stolen, world.token)
    standing = await world.operator.get(f"/v1/governance/actions/{waiting['action_id']}")
    assert standing.json()["approval"]["status"].lower() == "pending"


async def test_another_tenants_names_do_not_meet(world: World) -> None:
    """The same session name and action id in two workspaces are two sessions and two actions."""
    mine = await world.decide("read", _action_id="0123456789")
    theirs = await world.stranger.post("/v1/governance/decide", json=call("read", _action_id="0123456789"))
    assert theirs.json()["effect"] == "deny"  # no policy of theirs
    assert theirs.json()["replayed"] is False
    assert (await world.decide("read", _action_id="0123456789"))["receipt_id"] == mine["receipt_id"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/security/receipts/session/s",
        "/v1/security/sessions/s",
        "/v1/policies/house",
        "/v1/security/receipts/{receipt_id}",
        "/v1/approvals/{request_id}",
        "/v1/security/approvals/{token}",
        "/v1/agents/{agent_id}",
        "/v1/policies/snapshots/{policy_version}",
    ],
)
async def test_another_tenants_things_are_not_there(world: World, path: str) -> None:
    waiting = await world.decide("pay", amount=5)
    there = path.format(**{**waiting, **waiting["approval"], "agent_id": world.agent_id})
    assert (await world.operator.get(there)).status_code == 200
    answer = await world.stranger.get(there)
    if answer.status_code == 200:  # a list of what is none of theirs is empty
        assert answer.json()["count"] == 0
    else:
        assert_refused(answer, 404, "not_found")


@pytest.mark.parametrize("door", DOORS)
async def test_a_deleted_agents_key_is_refused_at_once(world: World, door: str) -> None:
    mine = {"_agent_id": world.agent_id}
    allowed = await world.ask(door, "decide", call("read", **mine), world.agent_key)
    await world.operator.delete(f"/v1/agents/{world.agent_id}")
    done = {"action_id": allowed["ok"]["action_id"], "status": "executed"}
    for verb, body in (("decide", call("read", **mine)), ("conclude", done)):
        answer = await world.ask(door, verb, body, world.agent_key)
        assert answer["error"]["code"] == "unauthenticated", verb
    assert await world.decisions() == 1


@pytest.mark.parametrize("door", DOORS)
async def test_a_revoked_key_is_refused_at_once(world: World, door: str) -> None:
    key = await post(world.operator, "/v1/api-keys", {"name": "ci"})
    assert "ok" in await world.ask(door, "decide", call("read"), key["key"])
    assert (await world.operator.delete(f"/v1/api-keys/{key['id']}")).status_code == 204
    assert (await world.ask(door, "decide", call("read"), key["key"]))["error"]["code"] == "unauthenticated"


@pytest.mark.parametrize("token", ["", "nonsense", "mutx_agent_" + "A" * 43, "a.b.c", "é" * 10, "x" * 5000])
async def test_no_credentials_no_decision(world: World, token: str) -> None:
    answer = await world.over_socket(b'{"id": 1, "verb": "decide", "token": "%s", "body": {}}' % token.encode())
    assert answer["error"]["code"] == "unauthenticated"
    async with client(world.plane) as nobody:
        headers = {"authorization": f"Bearer {token}".encode()}
        assert_refused(
            await nobody.post("/v1/governance/decide", json=call("read"), headers=headers), 401, "unauthenticated"
        )


async def test_an_agents_key_approves_nothing(world: World) -> None:
    waiting = await world.decide("pay", amount=5)
    verdict = {"request_id": waiting["approval"]["request_id"], "verdict": "approve"}
    for door in DOORS:
        assert (await world.ask(door, "resolve", verdict, world.agent_key))["error"]["code"] == "permission_denied"


@pytest.mark.parametrize("door", DOORS)
async def test_an_action_id_stands_for_one_call(world: World, door: str) -> None:
    first = await world.ask(door, "decide", call("read", path="a", _action_id="0123456789"), world.token)
    for other in (call("read", path="b"), call("reader", path="a"), call("read", path="a", _session_id="t")):
        body = {**other, "action_id": "0123456789"}
        assert (await world.ask(door, "decide", body, world.token))["error"]["code"] == "action_reused"
    again = await world.ask(door, "decide", call("read", path="a", _action_id="0123456789"), world.token)
    assert (again["ok"]["receipt_id"], again["ok"]["replayed"]) == (first["ok"]["receipt_id"], True)
    assert await world.decisions() == 1


def test_an_action_id_stands_for_one_call_in_process_too() -> None:
    with create(memory=True) as plane:
        first = plane.call("decide", call("read", path="a", _action_id="0123456789"))["ok"]
        other = plane.call("decide", call("read", path="b", _action_id="0123456789"))
        again = plane.call("decide", call("read", path="a", _action_id="0123456789"))["ok"]
    assert other["error"]["code"] == "action_reused"
    assert (again["receipt_id"], again["replayed"]) == (first["receipt_id"], True)


async def test_two_approvers_at_once_are_one(world: World) -> None:
    waiting = await world.decide("pay", amount=5)
    path = f"/v1/approvals/{waiting['approval']['request_id']}"
    verdicts = ("approve", "reject", "approve", "reject")
    answers = await asyncio.gather(*(world.operator.post(f"{path}/{verdict}", json={}) for verdict in verdicts))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            assert_refused(answer, 409, "already_resolved")
    winner = next(verdict for verdict, answer in zip(verdicts, answers, strict=True) if answer.status_code == 200)
    standing = (await world.operator.get(f"/v1/governance/actions/{waiting['action_id']}")).json()
    assert standing["effect"] == {"approve": "allow", "reject": "deny"}[winner]
    receipts = (await world.operator.get("/v1/security/receipts/session/s")).json()["receipts"]
    assert len(receipts) == 2


async def test_a_permit_is_good_for_its_arguments_once(world: World) -> None:
    permit = (await world.decide("read", path="a"))["permit"]
    kind, payload, mac = permit.split(".")
    flipped = ("B" if payload[10] == "A" else "A").join((payload[:10], payload[11:]))
    forged = [
        f"{kind}.{flipped}.{mac}",
        f"{kind}.{payload}.{mac[::-1]}",
        f"{kind}.{payload}.",
        f"mutx2.{payload}.{mac}",
    ]
    tries = [(text, {"path": "a"}) for text in (*forged, "", "é.é.é", "x" * 5000)]
    tries += [(permit, {"path": "b"}), (permit, {}), (permit, {"path": "a", "more": 1})]
    for text, args in tries:
        body = {"permit": text, "tool_args": args}
        assert_refused(await world.operator.post("/v1/governance/redeem", json=body), 409, "permit_refused")
    good = {"permit": permit, "tool_args": {"path": "a"}}
    answers = await asyncio.gather(*(world.operator.post("/v1/governance/redeem", json=good) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
