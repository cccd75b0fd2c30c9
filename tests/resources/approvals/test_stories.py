"""Stories of asking people: over the older approvals surface, on the real pipeline."""

import asyncio
import json
from typing import Any

import pytest

from mutx.governance.answer import Answer
from mutx.governance.types import Effect
from tests.resources.governed import AGENT, SESSION, Governed
from tests.server.plane import on_both


def _sse(text: str) -> list[tuple[str, Any]]:
    """Events of a stream that has ended."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in lines:
            found.append((lines.get("event", ""), json.loads(lines["data"])))
    return found


async def _asked(plane: Governed, ana: Any, **args: Any) -> Answer:
    answer = await plane.decide(plane.agent(ana), "pay", **(args or {"amount": 5}))
    assert answer.request is not None
    return answer


@on_both
async def test_an_approved_payment_is_released_once(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    asked = await _asked(plane, ana, amount=5)
    listed = (await ana.get("/v1/approvals", status="PENDING")).json()
    assert listed["total"] == 1
    (item,) = listed["items"]
    assert (item["action_type"], item["payload"], item["status"]) == ("pay", {"amount": 5}, "PENDING")
    answer = await ana.post(f"/v1/approvals/{item['id']}/approve", {"comment": "fine"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["approver"], answer.json()["comment"]) == (
        "APPROVED",
        ana.user_id,
        "fine",
    )
    status = await plane.services.pipeline.status(asked.action_id, plane.agent(ana))
    assert status.effect is Effect.ALLOW
    assert status.permit
    again = await ana.post(f"/v1/approvals/{item['id']}/approve")
    assert (again.status_code, again.json()["code"]) == (409, "already_resolved")


async def test_a_rejected_payment_is_denied(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    asked = await _asked(plane, ana)
    answer = await ana.post(f"/v1/approvals/{asked.request.id}/reject", {"comment": "no"})
    assert (answer.json()["status"], answer.json()["request_status"]) == ("REJECTED", "DENIED")
    assert (await plane.services.pipeline.status(asked.action_id, plane.agent(ana))).effect is Effect.DENY
    rejected = (await ana.get("/v1/approvals", status="REJECTED")).json()
    assert [item["id"] for item in rejected["items"]] == [asked.request.id]


@on_both
async def test_an_unanswered_request_expires(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    asked = await _asked(plane, ana)
    plane.clock.advance(301)
    await plane.services.pipeline.sweep()
    shown = (await ana.get(f"/v1/approvals/{asked.request.id}")).json()
    assert (shown["status"], shown["remaining_seconds"]) == ("EXPIRED", 0)


async def test_the_approver_sees_what_led_here(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    agent = plane.agent(ana)
    first = await plane.decide(agent, "read_stock", item="tea")
    await plane.conclude(agent, first)
    asked = await _asked(plane, ana, amount=12)
    shown = (await ana.get(f"/v1/approvals/{asked.request.token}")).json()
    assert shown["payload"] == {"amount": 12}
    assert [prior["tool_name"] for prior in shown["prior_actions"]] == ["read_stock"]
    assert shown["identity"] == {
        "human": ana.user_id,
        "service": None,
        "agent": AGENT,
        "session": SESSION,
        "principal": agent.principal_id,
        "method": "agent_key",
        "roles": [],
        "scopes": list(agent.scopes),
        "parent_action_id": None,
    }
    assert [(rule["policy"], rule["id"]) for rule in shown["matched_rules"]] == [("shop", "asks")]
    assert shown["labels"]["confidentiality"] == "INTERNAL"
    assert (shown["kind"], shown["risk"], shown["quorum"]) == ("step_up", "low", 1)
    assert shown["policy_version"] == asked.decision.policy_version


async def test_a_created_approval_is_a_decided_action(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    wanted = {"agent_id": AGENT, "session_id": SESSION, "action_type": "read_stock", "payload": {"item": "tea"}}
    answer = await ana.post("/v1/approvals", wanted)
    assert answer.status_code == 201, answer.text
    created = answer.json()
    assert (created["status"], created["payload"]) == ("PENDING", {"item": "tea"})
    state = await plane.services.ledger.action(ana.workspace_id, created["action_id"])
    assert state is not None
    assert state.effect is Effect.STEP_UP


async def test_what_policy_denies_cannot_be_asked_for(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    wanted = {"agent_id": AGENT, "session_id": SESSION, "action_type": "drop", "payload": {}}
    answer = await ana.post("/v1/approvals", wanted)
    assert (answer.status_code, answer.json()["details"]["effect"]) == (403, "deny")
    assert "tables are never dropped" in answer.json()["message"]
    assert (await ana.get("/v1/approvals")).json()["total"] == 0


@pytest.mark.parametrize("name", ["approve", "reject"])
async def test_the_reviewer_is_who_is_signed_in(plane: Governed, name: str) -> None:
    ana = await plane.person()
    await ana.apply()
    asked = await _asked(plane, ana)
    answer = await ana.post(f"/v1/approvals/{asked.request.id}/{name}", {"approver": "boss@example.org"})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    mine = await ana.post(f"/v1/approvals/{asked.request.id}/{name}", {"approver": ana.user_id})
    assert mine.status_code == 200, mine.text


@on_both
async def test_another_tenant_sees_and_answers_nothing(plane: Governed) -> None:
    ana, bob = await plane.person("ana"), await plane.person("bob")
    await ana.apply()
    asked = await _asked(plane, ana)
    missing = await bob.get("/v1/approvals/00000000-0000-7000-8000-000000000000")
    foreign = await bob.get(f"/v1/approvals/{asked.request.id}")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["message"] == missing.json()["message"]
    for verb in ("approve", "reject"):
        assert (await bob.post(f"/v1/approvals/{asked.request.id}/{verb}")).status_code == 404
        assert (await bob.post(f"/v1/approvals/{asked.request.token}/{verb}")).status_code == 404
    assert (await bob.get("/v1/approvals")).json()["total"] == 0


@on_both
async def test_waiting_for_an_answer(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    asked = await _asked(plane, ana)
    waiting = asyncio.create_task(ana.get(f"/v1/approvals/{asked.request.id}/stream", seconds=20))
    await asyncio.sleep(0)
    await ana.post(f"/v1/approvals/{asked.request.id}/approve")
    events = _sse((await waiting).text)
    assert events[-1][0] == "resolved"
    assert events[-1][1]["status"] == "APPROVED"


async def test_a_wait_that_is_over_says_so_at_once(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    asked = await _asked(plane, ana)
    events = _sse((await ana.get(f"/v1/approvals/{asked.request.id}/stream", seconds=0)).text)
    assert [(name, data["status"]) for name, data in events] == [("pending", "PENDING")]


@on_both
async def test_approve_and_remember(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    asked = await _asked(plane, ana)
    body = {"grant_ttl_seconds": 600, "grant_uses": 1}
    await ana.post(f"/v1/approvals/{asked.request.id}/approve", body)
    (grant,) = (await ana.get("/v1/approvals/grants")).json()
    assert (grant["tool_name"], grant["uses_left"], grant["rules"]) == ("pay", 1, ["shop/asks"])
    assert (await plane.decide(plane.agent(ana), "pay", amount=6)).effect is Effect.ALLOW
    assert (await plane.decide(plane.agent(ana), "pay", amount=7)).effect is Effect.STEP_UP


@on_both
async def test_a_revoked_grant_lets_nothing_through(plane: Governed) -> None:
    ana, bob = await plane.person("ana"), await plane.person("bob")
    await ana.apply()
    asked = await _asked(plane, ana)
    await ana.post(f"/v1/approvals/{asked.request.id}/approve", {"grant_uses": 9})
    (grant,) = (await ana.get("/v1/approvals/grants")).json()
    assert (await bob.http.delete(f"/v1/approvals/grants/{grant['id']}")).status_code == 404
    assert (await ana.http.delete(f"/v1/approvals/grants/{grant['id']}")).status_code == 204
    assert (await ana.http.delete(f"/v1/approvals/grants/{grant['id']}")).status_code == 404
    assert (await plane.decide(plane.agent(ana), "pay", amount=6)).effect is Effect.STEP_UP


async def test_one_older_word_stands_for_two_statuses(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    first, second = await _asked(plane, ana, amount=1), await _asked(plane, ana, amount=2)
    await ana.post(f"/v1/approvals/{first.request.id}/reject")
    body = {"request_id": second.request.id, "verdict": "cancel"}
    assert (await ana.post("/v1/governance/resolve", body)).status_code == 200
    page = (await ana.get("/v1/approvals", status="REJECTED")).json()
    assert page["total"] == 2
    assert [item["id"] for item in page["items"]] == [second.request.id, first.request.id]
    assert [item["comment"] for item in page["items"]] == ["cancelled", None]
    rest = (await ana.get("/v1/approvals", status="REJECTED", skip=1, limit=1)).json()
    assert [item["id"] for item in rest["items"]] == [first.request.id]


@on_both
async def test_lists_are_filtered_by_agent(plane: Governed) -> None:
    ana = await plane.person()
    await ana.apply()
    await _asked(plane, ana)
    await plane.decide(plane.agent(ana, "other-agent"), "pay", "elsewhere", amount=1)
    page = (await ana.get("/v1/approvals", agent_id="other-agent")).json()
    assert [item["agent_id"] for item in page["items"]] == ["other-agent"]
    assert page["agent_id"] == "other-agent"
