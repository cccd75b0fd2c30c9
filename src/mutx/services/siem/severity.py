"""How grave an audit event is, once for every format: OCSF's scale, 1 informational to 5 critical."""

from mutx.contract.audit import AuditEvent

INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL = 1, 2, 3, 4, 5

_GRAVE = {
    "AUDIT_HEAD_INVALID": CRITICAL,
    "LOGIN_TOKEN_REUSED": HIGH,
    "GUARDRAIL_TRIGGER": MEDIUM,
    "DRIFT": MEDIUM,
    "AUDIT_ERASED": MEDIUM,
    "LOGIN_FAILED": LOW,
    "MEMBER_CHANGED": LOW,
    "MEMBER_REMOVED": LOW,
}
_OF_EFFECT = {"deny": MEDIUM, "step_up": LOW, "defer": LOW}


def severity(event: AuditEvent) -> int:
    return _GRAVE.get(event.event_type) or _OF_EFFECT.get(str(event.payload.get("effect")), INFORMATIONAL)


def failed(event: AuditEvent) -> bool:
    """Whether what was attempted did not come about."""
    refused = event.payload.get("effect") == "deny" or event.payload.get("status") in ("error", "blocked")
    return refused or event.event_type in ("LOGIN_FAILED", "LOGIN_TOKEN_REUSED")
