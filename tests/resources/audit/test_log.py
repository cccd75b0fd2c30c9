"""Stories of the audit log: nothing is lost, nothing changes unseen, everybody sees what is theirs."""

import json
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace as struct_replace

from mutx.governance.chain import genesis
from mutx.governance.turn import Event
from mutx.governance.types import ToolCall
from tests.resources.governed import AGENT, SESSION, Governed, Somebody
from tests.server.plane import on_both


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    ana = await plane.person()
    await ana.apply()
    return ana


async def _day(plane: Governed, ana: Somebody) -> str:
    """A policy change, an allowed call with its outcome, a denied one, a question and its answer."""
    agent = plane.agent(ana)
    allowed = await plane.decide(agent, "read_stock", item="tea")
    await plane.conclude(agent, allowed)
    await plane.decide(agent, "drop")
    asked = await plane.decide(agent, "pay", amount=5)
    await ana.post(f"/v1/approvals/{asked.request.id}/approve", {"comment": "fine"})
    await plane.settle()
    return allowed.action_id


async def _audit(somebody: Somebody, **which: Any) -> list[dict[str, Any]]:
    """Oldest first."""
    listed = (await somebody.get("/v1/audit/events", limit=200, **which)).json()
    assert listed["total"] == len(listed["events"])
    return list(reversed(listed["events"]))


@on_both
async def test_turns_and_changes_are_one_log(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    events = await _audit(ana)
    kinds = [event["event_type"] for event in events]
    assert (kinds.count("POLICY_CHECK"), kinds.count("TOOL_CALL"), kinds.count("APPROVAL")) == (3, 1, 1)
    change = next(event for event in events if event["event_type"] == "POLICY_CHANGE")
    assert (change["actor_type"], change["actor_id"]) == ("person", ana.user_id)
    assert (change["payload"]["policy"], change["payload"]["version"]) == ("shop", 1)
    answered = next(event for event in events if event["event_type"] == "APPROVAL")
    assert (answered["actor_type"], answered["actor_id"]) == ("person", ana.user_id)
    assert answered["approval_id"] == answered["payload"]["request_id"]
    assert answered["payload"]["approvals"][0]["status"] == "APPROVED"


async def test_every_event_stands_in_its_chain(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    events = await _audit(ana)
    governed = [event for event in events if event["policy_decision_id"]]
    others = [event for event in events if not event["policy_decision_id"]]
    assert [event["sequence"] for event in governed] == [1, 2, 3, 4, 5]
    assert governed[0]["previous_hash"] == genesis(ana.workspace_id, SESSION)
    assert others[0]["previous_hash"] is None
    for chain in (governed, others):
        assert [e["previous_hash"] for e in chain[1:]] == [e["integrity_hash"] for e in chain[:-1]]
    receipt = (await ana.get(f"/v1/security/receipts/{governed[0]['event_id']}")).json()
    assert receipt["receipt_hash"] == governed[0]["integrity_hash"]


async def test_a_decision_leaves_nothing_to_copy(plane: Governed, ana: Somebody) -> None:
    before, agent = await plane.services.ledger.events("newcomer", 10), plane.agent(ana)
    await plane.conclude(agent, await plane.decide(agent, "read_stock", item="tea"))
    asked = await plane.decide(agent, "pay", amount=5)
    await ana.post(f"/v1/approvals/{asked.request.id}/approve", {"comment": "fine"})
    assert await plane.services.ledger.events("newcomer", 10) == before


async def test_no_argument_or_result_is_shown(plane: Governed, ana: Somebody) -> None:
    agent = plane.agent(ana)
    await plane.conclude(agent, await plane.decide(agent, "read_stock", item="tea-secret"), "result-secret")
    asked = await plane.decide(agent, "pay", note="note-secret")
    await ana.post(f"/v1/approvals/{asked.request.id}/approve", {"comment": "fine"})
    assert "secret" not in json.dumps(await _audit(ana, session_id=SESSION))


async def test_a_governed_action_is_a_trace(plane: Governed, ana: Somebody) -> None:
    action_id = await _day(plane, ana)
    for name in (action_id, action_id.replace("-", "")):
        trace = (await ana.get(f"/v1/audit/traces/{name}")).json()["events"]
        assert [event["event_type"] for event in trace] == ["POLICY_CHECK", "TOOL_CALL"]
        assert {event["trace_id"] for event in trace} == {action_id.replace("-", "")}
    assert (await ana.get("/v1/audit/traces/unknown")).json()["events"] == []


async def test_an_id_that_is_no_uuid_is_its_own_trace(plane: Governed, ana: Somebody) -> None:
    agent = plane.agent(ana)
    call = ToolCall(tool_name="drop", agent_id=AGENT, session_id=SESSION, action_id="Call-Number-1")
    await plane.services.pipeline.decide(call, agent)
    trace = (await ana.get("/v1/audit/traces/Call-Number-1")).json()["events"]
    assert [event["trace_id"] for event in trace] == ["Call-Number-1"]


async def test_what_is_no_turn_is_in_the_trace_too(plane: Governed, ana: Somebody) -> None:
    asked = await plane.decide(plane.agent(ana), "pay", amount=5)
    plane.clock.advance(181)
    await plane.services.pipeline.sweep()
    plane.clock.advance(1)
    await ana.post(f"/v1/approvals/{asked.request.id}/approve")
    await plane.settle()
    trace = (await ana.get(f"/v1/audit/traces/{asked.action_id}")).json()["events"]
    said = [(event["event_type"], event["actor_type"], event["payload"].get("event")) for event in trace]
    assert said == [
        ("POLICY_CHECK", "agent", None),
        ("APPROVAL", "system", "escalated"),
        ("APPROVAL", "person", None),
    ]


async def test_an_expired_question_was_answered_by_nobody(plane: Governed, ana: Somebody) -> None:
    await plane.decide(plane.agent(ana), "pay", amount=5)
    plane.clock.advance(301)
    await plane.services.pipeline.sweep()
    expired = (await _audit(ana, event_type="APPROVAL"))[-1]
    assert (expired["actor_type"], expired["actor_id"]) == ("system", "system")
    assert expired["payload"]["reason_code"] == "approval_expired"


@on_both
async def test_filters_and_pages(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    plane.clock.advance(100)
    await plane.decide(plane.agent(ana, "another"), "drop", "evening")
    await plane.settle()
    by_type = (await ana.get("/v1/audit/events", event_type="TOOL_CALL")).json()
    assert by_type["total"] == 1
    by_agent = (await ana.get("/v1/audit/events", agent_id="another")).json()
    assert {event["session_id"] for event in by_agent["events"]} == {"evening"}
    by_session = (await ana.get("/v1/audit/events", session_id=SESSION, limit=2, skip=1)).json()
    assert len(by_session["events"]) == 2
    assert by_session["total"] > 2
    since = "2027-01-15T08:01:00Z"
    assert (await ana.get("/v1/audit/events", time_range_start=since)).json()["total"] == by_agent["total"]
    assert (await ana.get("/v1/audit/events", time_range_end=since, agent_id="another")).json()["total"] == 0
    assert (await ana.get("/v1/audit/events", limit=0)).status_code == 422


async def test_a_shown_time_finds_its_event(plane: Governed, ana: Somebody) -> None:
    plane.clock.advance(0.1234567)  # shown as .123457
    await plane.decide(plane.agent(ana), "drop")
    shown = (await _audit(ana, session_id=SESSION))[0]["timestamp"]
    assert len(await _audit(ana, session_id=SESSION, time_range_start=shown)) == 1
    assert await _audit(ana, session_id=SESSION, time_range_end=shown) == []


@on_both
async def test_pages_are_cut_from_the_whole_log(plane: Governed, ana: Somebody) -> None:
    for hour in range(6):
        plane.clock.advance(1)
        await plane.decide(plane.agent(ana), "drop", f"session-{hour % 2}")
        news = {"event_type": "AGENT_START"}
        at = plane.clock.now() + 0.5 * (hour % 2)  # half of them at one moment with a turn
        await plane.audit.send([Event(topic="audit.agents", workspace_id=ana.workspace_id, at=at, payload=news)])
    whole = (await ana.get("/v1/audit/events", limit=200)).json()
    times = [datetime.fromisoformat(event["timestamp"]) for event in whole["events"]]
    assert times == sorted(times, reverse=True)
    for size in (1, 3, 5):
        pages = [
            (await ana.get("/v1/audit/events", limit=size, skip=skip)).json() for skip in range(0, len(times), size)
        ]
        assert [event for page in pages for event in page["events"]] == whole["events"]
        assert {page["total"] for page in pages} == {whole["total"]}
    assert (await ana.get("/v1/audit/events", skip=10_000)).json()["events"] == []
    assert (await ana.get("/v1/audit/events", skip=10_001)).json()["code"] == "invalid_input"


async def test_a_run_has_no_turns(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    event = Event(
        topic="audit.agents", workspace_id=ana.workspace_id, at=1.5, payload={"event_type": "RUN", "run_id": "run-1"}
    )
    await plane.audit.send([event])
    assert [each["event_type"] for each in await _audit(ana, run_id="run-1")] == ["RUN"]
    export = (await ana.get("/v1/audit/export", run_id="run-1")).json()
    assert (export["verified"], export["event_count"]) == (True, 1)


async def test_delivering_again_changes_nothing(plane: Governed, ana: Somebody) -> None:
    event = Event(topic="audit.agents", workspace_id=ana.workspace_id, at=1.5, payload={"event_type": "AGENT_START"})
    await plane.audit.send([])
    await plane.audit.send([event, event])
    await plane.audit.send([event])
    listed = (await ana.get("/v1/audit/events", event_type="AGENT_START")).json()
    # an event that names no owner is the workspace's; its administrator sees it
    assert listed["total"] == 1


async def test_tenants_have_chains_of_their_own(plane: Governed, ana: Somebody) -> None:
    bob = await plane.person("bob")
    await bob.apply()
    await _day(plane, ana)
    mine = (await bob.get("/v1/audit/events")).json()["events"]
    assert {event["payload"].get("policy") for event in mine} >= {"shop"}
    assert all(event["agent_id"] != AGENT for event in mine)
    assert (await bob.get("/v1/audit/export")).json()["verified"] is True


async def test_without_an_audit_role_one_sees_ones_own(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    made = await ana.post("/v1/api-keys", {"name": "mine", "scopes": ["audit:read"]})
    narrow = plane.client(made.json()["key"])
    await plane.decide(struct_replace(plane.agent(ana), user_id="somebody-else"), "drop", "theirs")
    seen = (await narrow.get("/v1/audit/events", params={"limit": 200})).json()
    assert seen["total"] == len(seen["events"]) > 0
    owners = {event["payload"].get("user_id") or event["actor_id"] for event in seen["events"]}
    assert owners == {ana.user_id}
    theirs = (await narrow.get("/v1/audit/export", params={"session_id": "theirs"})).json()
    assert (theirs["event_count"], theirs["verified"]) == (0, True)
    assert (await ana.get("/v1/audit/export", session_id="theirs")).json()["event_count"] == 1


async def test_the_log_is_for_people(plane: Governed, ana: Somebody) -> None:
    made = await ana.post("/v1/agents/register", {"name": "seller"})
    agent = plane.client(made.json()["api_key"])
    assert (await agent.get("/v1/audit/events")).status_code == 403
    assert (await plane.client().get("/v1/audit/events")).status_code == 401
