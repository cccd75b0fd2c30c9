"""What callers do to the log: report what only agents know, erase what must not be kept."""

import json

import pytest

from tests.resources.governed import AGENT, SESSION, Governed, Somebody


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    ana = await plane.person()
    await ana.apply()
    return ana


async def test_an_agent_reports_what_only_it_knows(ana: Somebody) -> None:
    said = {
        "event_type": "LLM_CALL",
        "agent_id": AGENT,
        "session_id": SESSION,
        "trace_id": "t" * 32,
        "span_id": "s" * 16,
        "payload": {"model": "m-1", "user_id": "somebody-else", "actor_type": "system"},
    }
    reported = (await ana.post("/v1/audit/events", said)).json()
    [event] = (await ana.get("/v1/audit/events", event_type="LLM_CALL")).json()["events"]
    assert event["event_id"] == reported["event_id"]
    assert (event["session_id"], event["run_id"], event["span_id"]) == (SESSION, SESSION, "s" * 16)
    # who reports is who the key says; what was reported stands apart and forges nothing
    assert (event["actor_type"], event["actor_id"]) == ("person", ana.user_id)
    assert event["payload"]["report"]["model"] == "m-1"
    assert event["payload"]["user_id"] == ana.user_id
    traced = (await ana.get(f"/v1/audit/traces/{'t' * 32}")).json()["events"]
    assert [each["event_id"] for each in traced] == [event["event_id"]]


@pytest.mark.parametrize("event_type", ["TOOL_CALL", "POLICY_CHECK", "LOGIN"])
async def test_what_the_server_knows_itself_nobody_reports(ana: Somebody, event_type: str) -> None:
    refused = await ana.post("/v1/audit/events", {"event_type": event_type, "agent_id": AGENT})
    assert refused.status_code == 422


async def test_an_agent_reports_of_itself_only(plane: Governed, ana: Somebody) -> None:
    made = (await ana.post("/v1/agents/register", {"name": "worker"})).json()
    http = plane.client(made["api_key"])
    said = {"event_type": "AGENT_START", "agent_id": "another"}
    assert (await http.post("/v1/audit/events", json=said)).status_code == 404
    assert (await http.post("/v1/audit/events", json=said | {"agent_id": made["agent_id"]})).status_code == 201


async def test_a_report_is_bounded(ana: Somebody) -> None:
    said = {"event_type": "LLM_CALL", "agent_id": AGENT, "payload": {"prompt": "x" * 20_000}}
    assert (await ana.post("/v1/audit/events", said)).json()["code"] == "too_large"


async def test_heartbeats_tell_of_start_and_end(ana: Somebody) -> None:
    made = (await ana.post("/v1/agents/register", {"name": "worker"})).json()
    for status in ("running", "running", "stopped", "stopped"):
        await ana.post("/v1/agents/heartbeat", {"agent_id": made["agent_id"], "status": status})
    listed = (await ana.get("/v1/audit/events", agent_id=made["agent_id"])).json()["events"]
    kinds = [each["event_type"] for each in reversed(listed) if each["event_type"] in ("AGENT_START", "AGENT_END")]
    assert kinds[-2:] == ["AGENT_START", "AGENT_END"]
    assert len(kinds) == 2


async def test_what_an_entry_says_is_erased_and_the_chain_holds(plane: Governed, ana: Somebody) -> None:
    said = {"event_type": "LLM_CALL", "agent_id": AGENT, "payload": {"name": "personal"}}
    event_id = (await ana.post("/v1/audit/events", said)).json()["event_id"]
    assert (await ana.http.delete(f"/v1/audit/events/{event_id}")).status_code == 204
    export = (await ana.get("/v1/audit/export")).json()
    assert (export["verified"], export["errors"]) == (True, [])
    assert "personal" not in json.dumps(export)
    gone = next(each for each in export["events"] if each["event_type"] == "ERASED")
    assert (gone["redaction_status"], gone["payload"], gone["actor_id"]) == ("erased", {}, None)
    told = next(each for each in export["events"] if each["event_type"] == "AUDIT_ERASED")
    assert (told["actor_id"], told["payload"]["sequence"]) == (ana.user_id, gone["sequence"])
    assert (await ana.http.delete(f"/v1/audit/events/{event_id}")).status_code == 404
    assert (await ana.http.delete(f"/v1/audit/events/{gone['event_id']}")).status_code == 204
    assert (await ana.http.delete(f"/v1/audit/events/{told['event_id']}")).json()["code"] == "invalid_input"


async def test_the_values_of_an_action_are_erased_and_the_receipt_holds(plane: Governed, ana: Somebody) -> None:
    decided = await plane.decide(plane.agent(ana), "read_stock", item="personal")
    assert (await ana.http.delete(f"/v1/audit/events/{decided.receipt_id}")).status_code == 204
    receipt = (await ana.get(f"/v1/security/receipts/{decided.receipt_id}")).json()
    assert receipt["erased"] == ["tool_args"]
    assert (await ana.get("/v1/audit/export")).json()["verified"] is True
    assert (await ana.get("/v1/audit/events", event_type="AUDIT_ERASED")).json()["total"] == 1


async def test_nobody_erases_what_is_anothers(plane: Governed, ana: Somebody) -> None:
    bob = await plane.person("bob")
    [event, *_] = (await ana.get("/v1/audit/events")).json()["events"]
    assert (await bob.http.delete(f"/v1/audit/events/{event['event_id']}")).status_code == 404
    assert (await ana.get("/v1/audit/events")).json()["events"][0] == event


async def test_records_for_a_siem(plane: Governed, ana: Somebody) -> None:
    await plane.conclude(plane.agent(ana), await plane.decide(plane.agent(ana), "read_stock", item="tea"))
    lines = (await ana.get("/v1/audit/records", session_id=SESSION)).text.splitlines()
    assert [json.loads(line)["metadata"]["event_code"] for line in lines] == ["POLICY_CHECK", "TOOL_CALL"]
    told = (await ana.get("/v1/audit/records", format="cef", limit=1)).text
    assert told.startswith("CEF:0|MUTX|MUTX|")
    plain = (await ana.get("/v1/audit/records", format="json", event_type="POLICY_CHANGE")).text
    assert json.loads(plain)["workspace_id"] == ana.workspace_id
    assert (await ana.get("/v1/audit/records", limit=10_001)).status_code == 422


async def test_a_guardrail_that_held_something_back_is_told(ana: Somebody) -> None:
    rule = {"type": "block", "pattern": "pass(word|phrase)", "action": "no secrets", "scope": "input"}
    made = await ana.post("/v1/policies", {"name": "texts", "rules": [rule]})
    assert made.status_code == 201, made.text
    for said in ({}, {"agent_id": AGENT, "session_id": SESSION}):
        result = (await ana.post("/v1/policies/evaluate", {"input": "my password is x", **said})).json()
        assert result["decision"] == "block"
    await ana.post("/v1/policies/evaluate", {"input": "hello", "agent_id": AGENT})
    [told] = (await ana.get("/v1/audit/events", event_type="GUARDRAIL_TRIGGER")).json()["events"]
    assert (told["agent_id"], told["session_id"], told["actor_id"]) == (AGENT, SESSION, ana.user_id)
    assert told["payload"]["rules"] == "texts/input-1"
    assert "password" not in json.dumps(told)
