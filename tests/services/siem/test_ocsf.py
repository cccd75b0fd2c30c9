"""Every kind of event has what its OCSF 1.9.0 class requires."""

from typing import Any

import pytest

from mutx.governance.turn import Event
from mutx.services.siem.ocsf import OCSF_VERSION, ocsf
from mutx.services.siem.record import record
from tests.conformance.scribe import Scribe

BASE = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
REQUIRED = {
    2004: {"finding_info"},
    3002: {"user", "service"},  # of service and dst_endpoint one must be there
    3004: {"entity"},
    3007: {"user"},
    6002: {"application"},
    6003: {"actor", "api", "src_endpoint"},
}
"""From the schema's definitions: events/*.json of ocsf-schema 1.9.0."""
ENDPOINT = {"ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid", "interface_name"}
ACTOR = {"process", "user", "invoked_by", "session", "app_name", "app_uid"}
ACTIVITIES = {
    2004: {1},
    3002: {1, 2, 99},
    3004: {1, 3, 4, 99},
    3007: {1, 3, 9, 16, 17, 99},
    6002: {3, 4},
    6003: {99},
}


def shown(event_type: str, **said: Any) -> dict[str, Any]:
    payload = {"event_type": event_type, "actor_type": "person", "actor_id": "ana", "user_id": "ana", **said}
    event = Event(topic="audit.log", workspace_id="ws-1", at=1_800_000_000.25, payload=payload)
    return ocsf(record(event), "ws-1")


def hold(found: dict[str, Any]) -> None:
    """What the schema asks of every event, and of its class."""
    class_uid = found["class_uid"]
    assert BASE | REQUIRED[class_uid] <= found.keys()
    assert found["category_uid"] == class_uid // 1000
    assert found["activity_id"] in ACTIVITIES[class_uid]
    assert found["type_uid"] == class_uid * 100 + found["activity_id"]
    assert found["activity_id"] != 99 or found["activity_name"]
    assert 1 <= found["severity_id"] <= 5
    assert found["metadata"]["version"] == OCSF_VERSION
    assert {"name", "vendor_name"} <= found["metadata"]["product"].keys()
    for user in (found.get("user"), found.get("actor", {}).get("user")):
        assert user is None or user["uid"]
    assert "actor" not in found or ACTOR & found["actor"].keys()
    assert "src_endpoint" not in found or ENDPOINT & found["src_endpoint"].keys()
    assert "finding_info" not in found or found["finding_info"]["uid"]
    assert "entity" not in found or found["entity"]["uid"]
    assert "ai_agent" not in found or found["ai_agent"]["uid"]


@pytest.mark.parametrize(
    ("event_type", "said", "type_uid", "status_id"),
    [
        ("LOGIN", {}, 300201, 1),
        ("LOGIN_FAILED", {}, 300201, 2),
        ("LOGIN_TOKEN_REUSED", {}, 300201, 2),
        ("LOGOUT", {}, 300202, 1),
        ("API_KEY_USED", {"key_id": "k"}, 300299, 1),
        ("MEMBER_CHANGED", {"member_id": "bob", "role": "ADMIN"}, 300716, 1),
        ("MEMBER_REMOVED", {"member_id": "bob"}, 300717, 1),
        ("PASSWORD_RESET", {}, 300709, 1),
        ("USER_VERIFIED", {}, 300799, 1),
        ("API_KEY_CREATED", {"key_id": "k"}, 300401, 1),
        ("API_KEY_ROTATED", {"key_id": "k"}, 300499, 1),
        ("AGENT_CONFIGURED", {"agent_id": "a"}, 300403, 1),
        ("AGENT_DELETED", {"agent_id": "a"}, 300404, 1),
        ("POLICY_CHANGE", {"policy": "shop"}, 300403, 1),
        ("SOMETHING", {}, 300499, 1),
        ("AGENT_START", {"agent_id": "a"}, 600203, 1),
        ("AGENT_END", {}, 600204, 1),
        ("LLM_CALL", {"agent_id": "a", "session_id": "s", "model": "m"}, 600399, 1),
        ("TOOL_CALL", {"tool_name": "pay", "status": "error"}, 600399, 2),
        ("GUARDRAIL_TRIGGER", {}, 200401, 1),
        ("AUDIT_HEAD_INVALID", {"reason": "cut"}, 200401, 1),
    ],
)
def test_each_kind_has_its_class(event_type: str, said: dict[str, Any], type_uid: int, status_id: int) -> None:
    found = shown(event_type, **said)
    hold(found)
    assert (found["type_uid"], found["status_id"]) == (type_uid, status_id)


async def test_what_a_decision_tells(scribe: Scribe) -> None:
    turn, _ = await scribe.wait()
    found = [ocsf(record(event), event.workspace_id) for event in turn.events]
    for each in found:
        hold(each)
    assert found[1]["api"]["operation"] == turn.action.tool_name
    assert found[1]["ai_agent"] == {
        "uid": turn.action.agent_id,
        "name": turn.action.agent_id,
        "instance_uid": turn.session_id,
    }
    assert found[1]["actor"]["app_name"] == turn.action.agent_id
    assert found[1]["metadata"]["tenant_uid"] == turn.workspace_id
    assert found[1]["time"] == round(turn.at * 1000)


def test_who_and_what_are_named() -> None:
    found = shown("MEMBER_CHANGED", member_id="bob", role="ADMIN")
    assert (found["user"]["uid"], found["actor"]["user"]["uid"]) == ("bob", "ana")
    assert found["iam_roles"] == [{"name": "ADMIN"}]
    assert shown("API_KEY_DELETED", key_id="k")["entity"] == {"type": "api_key", "uid": "k"}
    chained = record(Event(topic="audit.x", workspace_id="w", at=1.0, payload={"event_type": "LOGIN"}))
    placed = ocsf(chained.model_copy(update={"sequence": 7}), "w")
    assert placed["metadata"]["sequence"] == 7
