"""Agents that hand a part of what they may do to others: a subset, signed, looked at hop by hop, and ended at once."""

from typing import Any

import httpx2
import pytest

from mutx.governance.receipts import open_receipt
from mutx.governance.replay import recompute
from mutx.kit.errors import InputError
from mutx.server.delegating import delegation_verbs
from mutx.server.doors.verbs import Verbs
from tests.resources.governed import Governed, Somebody

POLICY = """
name: crew
default: deny
rules:
  - {id: hand-off, match: {tool: "delegate/*"}, when: "args.seconds <= 3600", effect: allow}
  - {id: careful, match: {tool: "delegate/*"}, when: "args.seconds > 3600", effect: step_up}
  - {id: pay, match: {tool: pay, agent: "*"}, when: "args.amount <= 100", effect: allow}
  - {id: read, match: {tool: "read_*"}, effect: allow}
  - {id: hop, match: {tool: audit}, when: size(identity.delegation) > 0, effect: allow}
"""
PAY = {"tool": "pay", "ceilings": {"amount": 50}}


class Crew:
    """Agents of one person, each with its own key."""

    def __init__(self, plane: Governed, ana: Somebody) -> None:
        self.plane, self.ana = plane, ana
        self.names: dict[str, tuple[str, httpx2.AsyncClient]] = {}

    async def join(self, *names: str) -> None:
        for name in names:
            made = (await self.ana.post("/v1/agents/register", {"name": name})).json()
            self.names[name] = made["agent_id"], self.plane.client(made["api_key"])

    def id(self, name: str) -> str:
        return self.names[name][0]

    async def delegate(self, giver: str, taker: str, *tools: Any, **more: Any) -> httpx2.Response:
        body = {"delegate": self.id(taker), "tools": list(tools) or [PAY], "seconds": 600, "session_id": "s"} | more
        return await self.names[giver][1].post("/v1/delegations", json=body)

    async def token(self, giver: str, taker: str, *tools: Any, **more: Any) -> str:
        answer = await self.delegate(giver, taker, *tools, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    async def call(self, name: str, tool: str, token: str | None = None, **args: Any) -> dict[str, Any]:
        body = {"tool_name": tool, "agent_id": self.id(name), "session_id": "s", "tool_args": args, "delegation": token}
        answer = await self.names[name][1].post("/v1/governance/decide", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def crew(plane: Governed) -> Crew:
    ana = await plane.person()
    await ana.apply(POLICY, "crew")
    made = Crew(plane, ana)
    await made.join("planner", "worker", "helper")
    return made


def codes(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["effect"], answer["reason_code"]


async def test_a_sub_agent_does_what_it_was_given_and_no_more(crew: Crew) -> None:
    token = await crew.token("planner", "worker", PAY, {"tool": "read_*"})
    assert codes(await crew.call("worker", "pay", token, amount=50)) == ("allow", "rule")
    assert codes(await crew.call("worker", "read_stock", token)) == ("allow", "rule")
    assert codes(await crew.call("worker", "audit", token)) == ("deny", "delegation_scope")
    too_much = await crew.call("worker", "pay", token, amount=51)
    assert codes(too_much) == ("deny", "delegation_scope")
    assert "only with amount <= 50" in too_much["reason"]
    assert codes(await crew.call("worker", "pay", token)) == ("deny", "delegation_scope")
    assert codes(await crew.call("worker", "pay", token, amount="5")) == ("deny", "delegation_scope")
    assert codes(await crew.call("helper", "pay", token, amount=5)) == ("deny", "delegation_scope")
    assert codes(await crew.call("worker", "pay", amount=90)) == ("allow", "rule")  # by its own right


async def test_the_receipt_shows_the_chain_and_the_decisions_can_be_computed_again(crew: Crew) -> None:
    first = await crew.token("planner", "worker", depth=1)
    second = await crew.token("worker", "helper", {"tool": "pay", "ceilings": {"amount": 20}}, delegation=first)
    assert codes(await crew.call("helper", "pay", second, amount=20)) == ("allow", "rule")
    assert codes(await crew.call("helper", "pay", second, amount=21)) == ("deny", "delegation_scope")
    listed = (await crew.ana.get("/v1/delegations")).json()["items"]
    assert [each["parent_id"] for each in listed] == [listed[1]["id"], None]
    services, workspace = crew.plane.services, crew.ana.workspace_id
    turns = await services.ledger.turns(workspace, "s", limit=100)
    chains = [open_receipt(turn.receipt.envelope)["identity"].get("delegation", []) for turn in turns]
    expected = [f"agent:{crew.id('planner')}:{listed[1]['id']}", f"agent:{crew.id('worker')}:{listed[0]['id']}"]
    assert expected in chains
    engine = crew.plane.engines.current(workspace)
    assert engine is not None
    accumulator = services.pipeline._gather.accumulator
    assert recompute(turns, accumulator, lambda _: engine) == []


async def test_nothing_is_handed_on_that_is_more_than_was_given(crew: Crew) -> None:
    once = await crew.token("planner", "worker")
    refused = await crew.delegate("worker", "helper", PAY, delegation=once)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert "0 further hops" in refused.text
    given = await crew.token("planner", "worker", PAY, depth=2, calls=5, budget={"argument": "amount", "max": 60})
    for tools, more, why in (
        ([{"tool": "*", "ceilings": {"amount": 5}}], {}, "* is not within its own scope"),
        ([{"tool": "pay"}], {}, "pay is not within"),
        ([{"tool": "pay", "ceilings": {"amount": 51}}], {}, "pay is not within"),
        ([PAY], {"seconds": 601}, "would outlive"),
        ([PAY], {"depth": 2}, "2 further hops"),
        ([PAY], {"calls": 6}, "6 calls are more"),
        ([PAY], {"budget": {"argument": "amount", "max": 61}}, "a budget of 61"),
    ):
        refused = await crew.delegate("worker", "helper", *tools, delegation=given, **more)
        assert refused.status_code == 403, why
        assert why in refused.text
    foreign = await crew.delegate("helper", "worker", PAY, delegation=given)
    assert "is " + crew.id("worker") in foreign.text
    assert (await crew.delegate("worker", "worker")).status_code == 422
    assert (await crew.delegate("worker", "helper", delegator=crew.id("planner"))).status_code == 403
    assert (await crew.delegate("worker", "helper", delegation="mutxd1.AAAA")).status_code == 403
    assert (await crew.delegate("worker", "helper", session_id=None)).status_code == 422


async def test_nobody_hands_on_what_it_may_not_do_itself(crew: Crew) -> None:
    token = await crew.token("planner", "worker", {"tool": "pay"})
    await crew.ana.apply(POLICY.replace('agent: "*"}, when', f'agent: "{crew.id("worker")}"}}, when'), "crew")
    assert codes(await crew.call("worker", "pay", amount=5)) == ("allow", "rule")
    denied = await crew.call("worker", "pay", token, amount=5)
    assert codes(denied) == ("deny", "delegation_scope")
    assert "which delegated this, may not do it itself" in denied["reason"]


async def test_calls_and_money_of_a_chain_count_on_every_hop(crew: Crew) -> None:
    given = await crew.token("planner", "worker", PAY, depth=1, calls=3, budget={"argument": "amount", "max": 60})
    part = await crew.token("worker", "helper", PAY, delegation=given, calls=2)
    assert codes(await crew.call("helper", "pay", part, amount=40)) == ("allow", "rule")
    over = await crew.call("worker", "pay", given, amount=30)
    assert codes(over) == ("deny", "delegation_spent")
    assert codes(await crew.call("helper", "pay", part, amount=5)) == ("allow", "rule")
    assert codes(await crew.call("helper", "pay", part, amount=5)) == ("deny", "delegation_spent")
    assert codes(await crew.call("worker", "pay", given, amount=-5)) == ("deny", "delegation_scope")
    assert codes(await crew.call("worker", "pay", given, amount=5)) == ("allow", "rule")
    assert codes(await crew.call("worker", "pay", given, amount=5)) == ("deny", "delegation_spent")


async def test_a_delegation_ends_with_its_time_its_revocation_and_its_issuer(crew: Crew) -> None:
    token = await crew.token("planner", "worker", depth=1)
    part = await crew.token("worker", "helper", PAY, delegation=token, seconds=60)
    assert codes(await crew.call("helper", "pay", part, amount=5)) == ("allow", "rule")
    crew.plane.clock.advance(61)
    assert codes(await crew.call("helper", "pay", part, amount=5)) == ("deny", "delegation_scope")
    again = await crew.token("worker", "helper", PAY, delegation=token, seconds=60)
    listed = (await crew.ana.get("/v1/delegations")).json()["items"]
    root = next(each["id"] for each in listed if each["parent_id"] is None)
    assert (await crew.names["helper"][1].delete(f"/v1/delegations/{root}")).status_code == 404
    ben = await crew.plane.person("ben")
    assert (await ben.http.delete(f"/v1/delegations/{root}")).status_code == 404
    assert (await ben.get("/v1/delegations")).json()["items"] == []
    assert (await crew.names["planner"][1].delete(f"/v1/delegations/{root}")).status_code == 204
    assert (await crew.names["planner"][1].delete(f"/v1/delegations/{root}")).status_code == 204
    dead = await crew.call("helper", "pay", again, amount=5)
    assert codes(dead) == ("deny", "delegation_invalid")
    assert "was revoked" in dead["reason"]
    assert (await crew.delegate("worker", "helper", PAY, delegation=token)).status_code == 403

    fresh = await crew.token("planner", "worker")
    keys = (await crew.ana.get("/v1/api-keys")).json()
    mine = [each for each in keys["items"] if each.get("agent_id") == crew.id("planner")]
    assert (await crew.ana.http.delete(f"/v1/api-keys/{mine[0]['id']}")).status_code == 204
    lost = await crew.call("worker", "pay", fresh, amount=5)
    assert codes(lost) == ("deny", "delegation_invalid")
    assert "has lost it" in lost["reason"]


async def test_a_forged_delegation_denies_and_leaves_its_receipt(crew: Crew) -> None:
    token = await crew.token("planner", "worker")
    for forged in (token[:-8] + "AAAAAAAA", "mutxd1." + "x" * 40_000, "nonsense", "mutxd1.é"):
        denied = await crew.call("worker", "pay", forged, amount=5)
        assert codes(denied) == ("deny", "delegation_invalid")
        assert denied["receipt_id"]
    ben = await crew.plane.person("ben")
    await ben.apply(POLICY, "crew")
    others = Crew(crew.plane, ben)
    await others.join("planner", "worker")
    stolen = await others.token("planner", "worker")
    elsewhere = await crew.call("worker", "pay", stolen, amount=5)
    assert codes(elsewhere) == ("deny", "delegation_invalid")
    assert "not one of this workspace" in elsewhere["reason"]


async def test_a_hand_off_may_wait_for_a_person(crew: Crew) -> None:
    asked = await crew.delegate("planner", "worker", seconds=7200, action_id="hand-off-0001")
    assert (asked.status_code, asked.json()["code"]) == (409, "conflict")
    assert asked.json()["details"]["action_id"] == "hand-off-0001"
    waiting = (await crew.ana.get("/v1/approvals")).json()
    request = (waiting["items"] if isinstance(waiting, dict) else waiting)[0]
    resolved = await crew.ana.post(
        "/v1/governance/resolve", {"request_id": request.get("request_id") or request["id"], "verdict": "approve"}
    )
    assert resolved.status_code == 200, resolved.text
    given = await crew.delegate("planner", "worker", seconds=7200, action_id="hand-off-0001")
    assert given.status_code == 201, given.text
    again = await crew.delegate("planner", "worker", seconds=7200, action_id="hand-off-0001")
    assert again.json() == given.json()
    assert codes(await crew.call("worker", "pay", given.json()["token"], amount=5)) == ("allow", "rule")


async def test_the_verb_of_the_other_doors_does_the_same(crew: Crew) -> None:
    services = crew.plane.services
    verbs = Verbs(services.pipeline, services.bus, services.clock, delegation_verbs(services))
    caller = crew.plane.agent(crew.ana, crew.id("planner"))
    body = {"delegate": crew.id("worker"), "tools": [PAY], "seconds": 60, "session_id": "s"}
    answer = await verbs.call("delegate", body, caller)
    assert answer["token"].startswith("mutxd1.")
    with pytest.raises(InputError, match="the body does not fit: seconds"):
        await verbs.call("delegate", body | {"seconds": 0}, caller)


async def test_a_permission_may_keep_somebody_from_handing_on(crew: Crew) -> None:
    me = (await crew.ana.get("/v1/auth/me")).json()["id"]
    denial = {"effect": "deny", "verb": "act", "principal_type": "user", "principal": me, "tool": "delegate/*"}
    assert (await crew.ana.post("/v1/permissions", denial)).status_code == 201
    body = {"delegator": crew.id("planner"), "delegate": crew.id("worker"), "tools": [PAY], "seconds": 60}
    assert (await crew.ana.post("/v1/delegations", body)).status_code == 403


async def test_a_hand_off_that_the_policies_deny_gives_no_token(crew: Crew) -> None:
    await crew.ana.apply(POLICY.replace("effect: allow}\n  - {id: careful", "effect: deny}\n  - {id: careful"), "crew")
    refused = await crew.delegate("planner", "worker")
    assert refused.status_code == 403
    assert refused.json()["details"]["reason_code"] == "rule"
    assert (await crew.ana.get("/v1/delegations")).json()["items"] == []


async def test_a_person_delegates_for_any_agent_of_the_workspace(crew: Crew) -> None:
    body = {"delegator": crew.id("planner"), "delegate": crew.id("worker"), "tools": [PAY], "seconds": 60}
    made = await crew.ana.post("/v1/delegations", body)
    assert made.status_code == 201, made.text
    assert made.json()["receipt_id"] is None
    assert codes(await crew.call("worker", "pay", made.json()["token"], amount=5)) == ("allow", "rule")
    assert (await crew.ana.post("/v1/delegations", body | {"delegator": None})).status_code == 422


async def test_a_delegation_that_ends_while_a_person_thinks_denies_the_release(crew: Crew) -> None:
    asks = POLICY.replace('when: "args.amount <= 100", effect: allow', 'when: "args.amount <= 100", effect: step_up')
    await crew.ana.apply(asks, "crew")
    token = await crew.token("planner", "worker")
    waits = await crew.call("worker", "pay", token, amount=5)
    assert waits["effect"] == "step_up"
    root = (await crew.ana.get("/v1/delegations")).json()["items"][0]["id"]
    assert (await crew.ana.http.delete(f"/v1/delegations/{root}")).status_code == 204
    body = {"request_id": waits["approval"]["request_id"], "verdict": "approve"}
    released = (await crew.ana.post("/v1/governance/resolve", body)).json()
    assert codes(released) == ("deny", "delegation_invalid")

    second = await crew.token("planner", "worker")
    waits = await crew.call("worker", "pay", second, amount=5)
    body = {"request_id": waits["approval"]["request_id"], "verdict": "approve"}
    assert (await crew.ana.post("/v1/governance/resolve", body)).json()["effect"] == "allow"


async def test_a_hand_off_that_the_policies_change_gives_no_token(crew: Crew) -> None:
    await crew.join("planner", "worker")
    document = POLICY.replace(
        "rules:",
        "rules:\n  - {id: less, priority: 1, match: {tool: 'delegate/*'}, effect: modify, modify: [{cap: seconds, max: 60}]}",
    )
    await crew.ana.apply(document, name="crew")
    answer = await crew.delegate("planner", "worker")
    assert (answer.status_code, "with other arguments" in answer.text) == (403, True)
