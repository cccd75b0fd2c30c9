"""Audit events in OCSF 1.9.0 (Open Cybersecurity Schema Framework, 2026-08-03).

  LOGIN*, LOGOUT, API_KEY_USED         3002 Authentication
  MEMBER_*, USER_*, PASSWORD_*, EMAIL_*  3007 User Management
  AGENT_START, AGENT_END               6002 Application Lifecycle
  GUARDRAIL_TRIGGER, DRIFT, AUDIT_HEAD_INVALID   2004 Detection Finding
  calls, decisions, approvals, models  6003 API Activity, with the profile `ai_operation`
  everything else                      3004 Entity Management

Times are milliseconds. What has no attribute of its own stands in `unmapped`, payload and chain included.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from mutx.contract.audit import AuditEvent
from mutx.services.siem.severity import failed, severity

OCSF_VERSION = "1.9.0"
PRODUCT = {"name": "MUTX", "vendor_name": "MUTX", "version": version("mutx")}

AUTHENTICATION, USERS, ENTITIES, LIFECYCLE, CALLS, FINDING = 3002, 3007, 3004, 6002, 6003, 2004
OTHER = 99

_CALLS = ("POLICY_CHECK", "TOOL_CALL", "TOOL_REQUEST", "APPROVAL", "LLM_CALL")
_FINDINGS = ("GUARDRAIL_TRIGGER", "DRIFT", "AUDIT_HEAD_INVALID")
_LIFECYCLE: Mapping[str, int] = {"AGENT_START": 3, "AGENT_END": 4}
_LOGON: Mapping[str, int] = {"LOGIN": 1, "LOGIN_FAILED": 1, "LOGIN_TOKEN_REUSED": 1, "LOGOUT": 2}
_USERS: Mapping[str, int] = {"CREATED": 1, "CHANGED": 16, "REMOVED": 17, "DELETED": 3, "RESET": 9}
_ENTITIES: Mapping[str, int] = {"CREATED": 1, "DELETED": 4, "REVOKED": 4, "CHANGED": 3, "CHANGE": 3, "CONFIGURED": 3}


def ocsf(event: AuditEvent, workspace_id: str) -> dict[str, Any]:
    """One event as a JSON object."""
    class_uid, activity, more = _classified(event)
    outcome = {"status_id": 2, "status": "Failure"} if failed(event) else {"status_id": 1, "status": "Success"}
    if class_uid == FINDING:
        outcome = {"status_id": 1, "status": "New"}  # of a finding this is where it stands in triage
    return {
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "activity_id": activity,
        "activity_name": event.event_type,
        "type_uid": class_uid * 100 + activity,
        "severity_id": severity(event),
        "time": _milliseconds(event),
        "message": _message(event),
        "metadata": _metadata(event, workspace_id, ai=class_uid == CALLS),
        "unmapped": _unmapped(event),
        **outcome,
        **more,
    }


def _classified(event: AuditEvent) -> tuple[int, int, dict[str, Any]]:
    """Class, activity, and the attributes that the class asks for."""
    kind, last = event.event_type, event.event_type.rpartition("_")[2]
    if kind in _FINDINGS:
        info = {"uid": event.event_id, "title": kind, "desc": _message(event), "product": PRODUCT}
        return FINDING, 1, {"finding_info": info, "is_alert": True}
    if kind in _CALLS:
        return CALLS, OTHER, _call(event)
    if kind in _LIFECYCLE:
        about = {"uid": event.agent_id or "unknown", "name": event.agent_id or "unknown"}
        return LIFECYCLE, _LIFECYCLE[kind], {"application": about, "app": PRODUCT, "actor": _actor(event)}
    if kind.startswith(("LOGIN", "LOGOUT")) or kind == "API_KEY_USED":
        service = {"name": "MUTX"}
        return AUTHENTICATION, _LOGON.get(kind, OTHER), {"user": _user(event), "service": service}
    if kind.startswith(("MEMBER_", "USER_", "PASSWORD_", "EMAIL_")):
        return USERS, _USERS.get(last, OTHER), {"user": _target(event), "actor": _actor(event), **_roles(event)}
    entity = {"type": kind.rpartition("_")[0].lower() or kind.lower(), "uid": _about(event)}
    return ENTITIES, _ENTITIES.get(last, OTHER), {"entity": entity, "actor": _actor(event)}


def _call(event: AuditEvent) -> dict[str, Any]:
    said = event.payload
    operation = str(said.get("tool_name") or said.get("model") or event.event_type)
    more: dict[str, Any] = {}
    if event.agent_id:
        agent = {"uid": event.agent_id, "name": event.agent_id, "instance_uid": event.session_id or None}
        more["ai_agent"] = {name: value for name, value in agent.items() if value}
    return {
        "api": {"operation": operation, "service": {"name": "MUTX"}},
        "actor": _actor(event),
        "src_endpoint": {"svc_name": str(said.get("door") or "mutx"), "uid": event.agent_id or "mutx"},
        "resources": [{"name": operation, "type": "tool"}],
        **more,
    }


def _metadata(event: AuditEvent, workspace_id: str, *, ai: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "version": OCSF_VERSION,
        "product": PRODUCT,
        "uid": event.event_id,
        "tenant_uid": workspace_id,
        "event_code": event.event_type,
        "log_name": "audit",
        "log_provider": "MUTX",
        "original_time": event.timestamp.isoformat(),
    }
    if event.trace_id or event.session_id:
        found["correlation_uid"] = event.trace_id or event.session_id
    if event.sequence:
        found["sequence"] = event.sequence
    return found | ({"profiles": ["ai_operation"]} if ai else {})


def _unmapped(event: AuditEvent) -> dict[str, Any]:
    kept = (
        "session_id",
        "run_id",
        "approval_id",
        "policy_refs",
        "policy_decision_id",
        "previous_hash",
        "integrity_hash",
    )
    found = {name: value for name in kept if (value := getattr(event, name))}
    return found | {"payload": event.payload}


def _actor(event: AuditEvent) -> dict[str, Any]:
    if event.actor_type == "agent":
        return {"app_name": event.actor_id or "agent", "user": _user(event)}
    return {"user": _user(event)}


def _user(event: AuditEvent) -> dict[str, Any]:
    """Who did it. OCSF's user types: 1 user, 3 system, 4 service."""
    kinds = {"person": 1, "system": 3}
    uid = event.actor_id or str(event.payload.get("user_id") or "unknown")
    return {"uid": uid, "name": event.actor_display or uid, "type_id": kinds.get(event.actor_type, 4)}


def _target(event: AuditEvent) -> dict[str, Any]:
    uid = str(event.payload.get("member_id") or event.payload.get("user_id") or "unknown")
    return {"uid": uid, "type_id": 1}


def _roles(event: AuditEvent) -> dict[str, Any]:
    role = event.payload.get("role")
    return {"iam_roles": [{"name": str(role)}]} if role else {}


def _about(event: AuditEvent) -> str:
    """The id of the thing that was changed, under whatever name its slice tells it."""
    own = ("user_id", "actor_id", "workspace_id", "news_id")
    ids = [str(value) for name, value in event.payload.items() if name.endswith("_id") and name not in own and value]
    return str(event.payload.get("policy") or (ids[0] if ids else event.event_id))


def _message(event: AuditEvent) -> str:
    said = event.payload
    parts = (event.event_type, said.get("tool_name"), said.get("effect") or said.get("status"), said.get("reason"))
    return " ".join(str(part) for part in parts if part)


def _milliseconds(event: AuditEvent) -> int:
    return round(event.timestamp.timestamp() * 1000)
