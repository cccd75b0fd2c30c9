"""Stories of the older security surface: a real decide, receipts that verify, sessions, counts."""

from typing import Any

import pytest

from mutx.governance.keys import KeyRing, read_keys
from mutx.governance.types import Effect
from mutx.governance.verify import VerificationVerdict, verify_export
from tests.resources.governed import AGENT, SESSION, Governed, Somebody
from tests.server.plane import on_both


@pytest.fixture
async def ana(plane: Governed) -> Somebody:
    ana = await plane.person()
    await ana.apply()
    return ana


async def _evaluate(ana: Somebody, tool: str, session: str = SESSION, **args: Any) -> dict[str, Any]:
    body = {"tool_name": tool, "tool_args": args, "agent_id": AGENT, "session_id": session}
    answer = await ana.post("/v1/security/actions/evaluate", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("tool", "decision", "effect"),
    [
        ("read_stock", "allow", "allow"),
        ("drop", "deny", "deny"),
        ("pay", "defer", "step_up"),
        ("guess", "defer", "defer"),
        ("unknown", "deny", "deny"),
    ],
)
async def test_evaluating_is_deciding(ana: Somebody, tool: str, decision: str, effect: str) -> None:
    answer = await _evaluate(ana, tool)
    assert (answer["decision"], answer["effect"]) == (decision, effect)
    assert (answer["permit"] is not None) == (decision == "allow")
    assert (answer["approval"] is not None) == (decision == "defer")
    assert len(answer["action_hash"]) == 64
    receipt = (await ana.get(f"/v1/security/receipts/{answer['receipt_id']}")).json()
    assert (receipt["action_id"], receipt["policy_decision"]) == (answer["action_id"], decision)


async def test_a_modified_call_says_how(ana: Somebody) -> None:
    answer = await _evaluate(ana, "mail", body="my SSN is 078-05-1120")
    assert (answer["decision"], answer["would_modify"]) == ("modify", True)
    assert "078-05-1120" not in answer["modified_args"]["body"]


async def test_each_evaluation_is_an_action_of_its_own(ana: Somebody) -> None:
    first, second = await _evaluate(ana, "read_stock"), await _evaluate(ana, "read_stock")
    assert first["action_id"] != second["action_id"]


async def test_asking_for_an_approval_and_answering_it_by_token(plane: Governed, ana: Somebody) -> None:
    body = {
        "tool_name": "read_stock",
        "agent_id": AGENT,
        "session_id": SESSION,
        "reason": "I need to know",
        "timeout_minutes": 10,
    }
    answer = await ana.post("/v1/security/approvals/request", body)
    assert answer.status_code == 201, answer.text
    asked = answer.json()
    assert (asked["status"], asked["remaining_seconds"]) == ("pending", 600)
    assert [r["token"] for r in (await ana.get("/v1/security/approvals")).json()] == [asked["token"]]
    detail = (await ana.get(f"/v1/approvals/{asked['request_id']}")).json()
    assert detail["input_preview"] == "I need to know"
    approved = await ana.post(f"/v1/security/approvals/{asked['token']}/approve", {"reviewer": ana.user_id})
    assert approved.json() == {"status": "approved", "request_id": asked["request_id"]}
    assert (await ana.get(f"/v1/security/approvals/{asked['request_id']}")).json()["status"] == "approved"
    assert (await ana.get("/v1/security/approvals")).json() == []
    status = await plane.services.pipeline.status(asked["action_id"], plane.agent(ana))
    assert status.effect is Effect.ALLOW


async def test_denying_by_token(ana: Somebody) -> None:
    token = (await _evaluate(ana, "pay", amount=1))["approval"]["token"]
    imposter = await ana.post(f"/v1/security/approvals/{token}/deny", {"reviewer": "the-boss"})
    assert (imposter.status_code, imposter.json()["code"]) == (403, "permission_denied")
    denied = await ana.post(f"/v1/security/approvals/{token}/deny", {"reviewer": ana.user_id, "comment": "no"})
    assert denied.json()["status"] == "denied"


async def test_a_denied_action_cannot_be_asked_for(ana: Somebody) -> None:
    body = {"tool_name": "drop", "agent_id": AGENT, "session_id": SESSION}
    answer = await ana.post("/v1/security/approvals/request", body)
    assert (answer.status_code, answer.json()["details"]["effect"]) == (403, "deny")


async def test_receipts_join_the_values_beside_them(plane: Governed, ana: Somebody) -> None:
    agent = plane.agent(ana)
    answer = await plane.decide(agent, "read_stock", item="tea")
    await plane.conclude(agent, answer, {"left": 3})
    listed = (await ana.get(f"/v1/security/receipts/session/{SESSION}")).json()
    decision, outcome = listed["receipts"]
    assert (listed["count"], decision["outcome"], outcome["outcome"]) == (2, "authorized", "executed")
    assert (decision["tool_args"], outcome["result"], outcome["duration_ms"]) == ({"item": "tea"}, {"left": 3}, 7)
    assert decision["erased"] == outcome["erased"] == []
    assert outcome["metadata"]["previous_receipt_hash"] == decision["receipt_hash"]
    assert "tea" not in str(decision["envelope"]), "the values stand beside the receipt, not in it"
    rest = (await ana.get(f"/v1/security/receipts/session/{SESSION}", after=1)).json()
    assert [r["receipt_id"] for r in rest["receipts"]] == [outcome["receipt_id"]]


@on_both
async def test_an_erased_value_is_shown_as_erased(plane: Governed, ana: Somebody) -> None:
    answer = await plane.decide(plane.agent(ana), "read_stock", item="tea")
    await plane.services.ledger.erase(ana.workspace_id, answer.receipt_id)
    receipt = (await ana.get(f"/v1/security/receipts/{answer.receipt_id}")).json()
    assert (receipt["tool_args"], receipt["erased"]) == (None, ["tool_args"])


@on_both
@pytest.mark.parametrize("values", [True, False])
async def test_an_export_verifies_with_the_published_keys(plane: Governed, ana: Somebody, values: bool) -> None:
    agent = plane.agent(ana)
    for item in ("tea", "cups"):
        await plane.conclude(agent, await plane.decide(agent, "read_stock", item=item))
    answer = await ana.get("/v1/security/receipts/export", session_id=SESSION, values=values)
    keys = await ana.get("/v1/security/keys")
    report = verify_export(answer.content, KeyRing(read_keys(keys.text)))
    assert (report.verdict, report.receipts) == (VerificationVerdict.VERIFIED, 4)
    assert (b"cups" in answer.content) == values
    tampered = answer.content.replace(b'"keyid":"mutx-', b'"keyid":"mutx+', 1)
    assert verify_export(tampered, KeyRing(read_keys(keys.text))).verdict is VerificationVerdict.FAILED


@on_both
async def test_a_session_keeps_the_request_it_was_opened_with(plane: Governed, ana: Somebody) -> None:
    query = {"session_id": "s1", "agent_id": AGENT, "original_request": "count the tea"}
    made = await ana.http.post("/v1/security/sessions", params=query)
    assert made.status_code == 200, made.text
    assert made.json()["session_id"] == "s1"
    again = await ana.http.post("/v1/security/sessions", params=query)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    agent = plane.agent(ana)
    answer = await plane.decide(agent, "read_stock", "s1")
    await plane.conclude(agent, answer)
    await plane.decide(agent, "drop", "s1")
    plane.clock.advance(60)
    summary = (await ana.get("/v1/security/sessions/s1")).json()
    assert (summary["original_request"], summary["total_actions"]) == ("count the tea", 2)
    assert (summary["permits"], summary["denials"], summary["defers"], summary["receipts"]) == (1, 1, 0, 3)
    assert (summary["duration_seconds"], summary["closed"]) == (60.0, False)


@on_both
async def test_sessions_are_listed_to_whom_they_concern(plane: Governed, ana: Somebody) -> None:
    for session in ("s1", "s2"):
        await _evaluate(ana, "read_stock", session)
        plane.clock.advance(1)
    assert (await ana.http.delete("/v1/security/sessions/s1")).status_code == 200
    both = (await ana.get("/v1/security/sessions")).json()
    assert [(item["session_id"], item["closed"]) for item in both["items"]] == [("s2", False), ("s1", True)]
    assert both["items"][0]["agent_id"] == AGENT
    assert (both["total"], both["items"][0]["permits"], both["items"][0]["receipts"]) == (2, 1, 1)
    page = (await ana.get("/v1/security/sessions", skip=1, limit=1)).json()
    assert [item["session_id"] for item in page["items"]] == ["s1"]
    closed = (await ana.get("/v1/security/sessions", active=False, agent_id=AGENT)).json()
    assert [item["session_id"] for item in closed["items"]] == ["s1"]
    assert (await ana.get("/v1/security/sessions", agent_id="somebody-else")).json()["total"] == 0
    made = (await ana.post("/v1/agents/register", {"name": "own"})).json()
    agent = plane.client(made["api_key"])
    await plane.decide(plane.agent(ana, made["agent_id"]), "read_stock", "s3")
    own = (await agent.get("/v1/security/sessions")).json()
    assert [item["session_id"] for item in own["items"]] == ["s3"]
    assert (await agent.get("/v1/security/sessions", params={"agent_id": AGENT})).json()["items"] == []


@on_both
async def test_a_closed_session_decides_nothing_more(plane: Governed, ana: Somebody) -> None:
    await _evaluate(ana, "read_stock")
    closed = await ana.http.delete(f"/v1/security/sessions/{SESSION}")
    assert closed.json() == {"session_id": SESSION, "status": "closed"}
    assert (await ana.http.delete(f"/v1/security/sessions/{SESSION}")).status_code == 200
    after = await _evaluate(ana, "read_stock")
    assert (after["decision"], after["reason_code"]) == ("deny", "session_closed")


@on_both
async def test_counts(plane: Governed, ana: Somebody) -> None:
    for tool in ("read_stock", "drop", "pay"):
        await _evaluate(ana, tool)
    metrics = (await ana.get("/v1/security/metrics")).json()
    wanted = {"total_evaluations": 3, "permits": 1, "denials": 1, "defers": 1, "pending_approvals": 1}
    assert wanted.items() <= metrics.items()
    assert (metrics["active_sessions"], metrics["decisions_per_minute"], metrics["decisions_per_hour"]) == (1, 3, 3)
    assert metrics["avg_latency_ms"] > 0
    plane.clock.advance(120)
    later = (await ana.get("/v1/security/metrics")).json()
    assert (later["decisions_per_minute"], later["decisions_per_hour"]) == (0, 3)
    text = (await ana.get("/v1/security/metrics/prometheus")).text
    assert "mutx_security_evaluations_total 3.0" in text
    assert "mutx_security_pending_approvals 1.0" in text


async def test_another_tenant_sees_nothing(plane: Governed, ana: Somebody) -> None:
    bob = await plane.person("bob")
    asked = await _evaluate(ana, "pay")
    for path in (
        f"/v1/security/receipts/{asked['receipt_id']}",
        f"/v1/security/receipts/session/{SESSION}",
        f"/v1/security/receipts/export?session_id={SESSION}",
        f"/v1/security/sessions/{SESSION}",
        f"/v1/security/approvals/{asked['approval']['request_id']}",
        f"/v1/security/approvals/{asked['approval']['token']}",
    ):
        assert (await bob.http.get(path)).status_code == 404, path
    assert (await bob.http.delete(f"/v1/security/sessions/{SESSION}")).status_code == 404
    assert (await bob.post(f"/v1/security/approvals/{asked['approval']['token']}/approve", {})).status_code == 404
    assert (await bob.get("/v1/security/metrics")).json()["total_evaluations"] == 0
    assert (await bob.get("/v1/security/approvals")).json() == []


async def test_an_agents_key_sees_its_own_and_approves_nothing(plane: Governed, ana: Somebody) -> None:
    made = await ana.post("/v1/agents/register", {"name": "seller"})
    assert made.status_code == 200, made.text
    agent_id, agent = made.json()["agent_id"], plane.client(made.json()["api_key"])
    mine = {"tool_name": "pay", "agent_id": agent_id, "session_id": "mine"}
    asked = (await agent.post("/v1/security/actions/evaluate", json=mine)).json()
    other = await _evaluate(ana, "pay", "others")
    seen = (await agent.get("/v1/security/approvals")).json()
    assert [request["request_id"] for request in seen] == [asked["approval"]["request_id"]]
    assert (await agent.get(f"/v1/security/receipts/{asked['receipt_id']}")).status_code == 200
    assert (await agent.get(f"/v1/security/receipts/{other['receipt_id']}")).status_code == 404
    assert (await agent.get("/v1/security/sessions/others")).status_code == 404
    another = await agent.post("/v1/security/actions/evaluate", json=mine | {"agent_id": "another"})
    assert (another.status_code, another.json()["code"]) == (403, "permission_denied")
    for verb in ("approve", "deny"):
        refused = await agent.post(f"/v1/security/approvals/{asked['approval']['token']}/{verb}", json={})
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    opened = await agent.post("/v1/security/sessions", params={"session_id": "x", "agent_id": "another"})
    assert opened.status_code == 403


async def test_the_self_assessment(ana: Somebody) -> None:
    report = (await ana.get("/v1/security/compliance")).json()
    assert report["overall_satisfied"] is True
    assert "self-assessment" in report["statement"]
    assert len(report["results"]) == 18
    assert {n: s["not_satisfied"] for n, s in report["summary"].items()} == {
        "product": ["R8"],
        "aarm-2026-03-26": ["R9"],
    }
