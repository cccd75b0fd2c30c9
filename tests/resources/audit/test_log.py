"""Stories of the audit log: nothing is lost, nothing changes unseen, everybody sees what is theirs."""

import pytest
from sqlalchemy import delete, update

from mutx.governance.turn import Event
from mutx.resources.audit.models import AuditEventRow
from tests.resources.governed import AGENT, SESSION, Governed, Somebody


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


async def test_turns_approvals_and_changes_are_all_there(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    listed = (await ana.get("/v1/audit/events", limit=200)).json()
    events = list(reversed(listed["events"]))
    assert listed["total"] == len(events)
    kinds = [event["event_type"] for event in events]
    assert "POLICY_CHANGE" in kinds
    assert (kinds.count("POLICY_CHECK"), kinds.count("TOOL_REQUEST"), kinds.count("TOOL_CALL")) == (4, 3, 1)
    assert kinds.count("APPROVAL") == 2
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["previous_hash"] is None
    assert [e["previous_hash"] for e in events[1:]] == [e["integrity_hash"] for e in events[:-1]]
    change = next(event for event in events if event["event_type"] == "POLICY_CHANGE")
    assert (change["actor_type"], change["actor_id"]) == ("person", ana.user_id)
    assert (change["payload"]["policy"], change["payload"]["version"]) == ("shop", 1)
    answered = [event for event in events if event["event_type"] == "APPROVAL"][-1]
    assert (answered["actor_type"], answered["actor_id"]) == ("person", ana.user_id)
    assert answered["approval_id"] == answered["payload"]["request_id"]


async def test_a_governed_action_is_a_trace(plane: Governed, ana: Somebody) -> None:
    action_id = await _day(plane, ana)
    trace = (await ana.get(f"/v1/audit/traces/{action_id}")).json()["events"]
    assert [event["event_type"] for event in trace] == ["TOOL_REQUEST", "POLICY_CHECK", "TOOL_CALL"]
    assert {event["trace_id"] for event in trace} == {action_id.replace("-", "")}
    assert (await ana.get("/v1/audit/traces/unknown")).json()["events"] == []


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


async def test_delivering_again_changes_nothing(plane: Governed, ana: Somebody) -> None:
    event = Event(topic="audit.agents", workspace_id=ana.workspace_id, at=1.5, payload={"event_type": "AGENT_START"})
    await plane.audit.send([])
    await plane.audit.send([event, event])
    await plane.audit.send([event])
    listed = (await ana.get("/v1/audit/events", event_type="AGENT_START")).json()
    # an event that names no owner is the workspace's; its administrator sees it
    assert listed["total"] == 1


async def test_an_export_is_verified(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    export = (await ana.get("/v1/audit/export", session_id=SESSION)).json()
    assert (export["verified"], export["errors"]) == (True, [])
    assert export["event_count"] == len(export["events"]) > 0
    assert {event["session_id"] for event in export["events"]} == {SESSION}
    newest = (await ana.get("/v1/audit/events", limit=1)).json()["events"][0]
    assert export["chain_root"] == newest["integrity_hash"]


async def test_a_changed_entry_shows(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    async with plane.services.database.write() as session:
        await session.execute(
            update(AuditEventRow)
            .where(AuditEventRow.workspace_id == ana.workspace_id, AuditEventRow.sequence == 2)
            .values(payload={"effect": "allow"})
        )
    export = (await ana.get("/v1/audit/export")).json()
    assert export["verified"] is False
    assert "entry 2" in export["errors"][0]
    assert "was changed" in export["errors"][0]


async def test_a_removed_entry_shows(plane: Governed, ana: Somebody) -> None:
    await _day(plane, ana)
    async with plane.services.database.write() as session:
        await session.execute(
            delete(AuditEventRow).where(AuditEventRow.workspace_id == ana.workspace_id, AuditEventRow.sequence == 2)
        )
    export = (await ana.get("/v1/audit/export")).json()
    assert export["verified"] is False
    assert any("entry 2 is missing" in error for error in export["errors"])


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
    seen = (await narrow.get("/v1/audit/events", params={"limit": 200})).json()["events"]
    assert seen
    owners = {event["payload"].get("user_id") or event["actor_id"] for event in seen}
    assert owners == {ana.user_id}


async def test_the_log_is_for_people(plane: Governed, ana: Somebody) -> None:
    made = await ana.post("/v1/agents/register", {"name": "seller"})
    agent = plane.client(made.json()["api_key"])
    assert (await agent.get("/v1/audit/events")).status_code == 403
    assert (await plane.client().get("/v1/audit/events")).status_code == 401
