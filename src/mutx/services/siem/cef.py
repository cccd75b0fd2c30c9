"""Audit events in CEF (ArcSight Common Event Format, implementation standard 0.1 of CEF:0).

Whatever an agent put into a name, an event stays one line with the fields it has: `|` and `\\` are escaped in the header,
`=`, `\\` and line ends in the extension, and every other control character or line separator becomes a space.
"""

import re
from importlib.metadata import version
from typing import Any

from mutx.contract.audit import AuditEvent
from mutx.services.siem.severity import failed, severity

VERSION = version("mutx")
MAX_VALUE = 1023
"""Characters of a value, before escaping: the shortest of the standard's limits."""
_CONTROL = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def cef(event: AuditEvent, workspace_id: str) -> str:
    """One line, without its end."""
    said = event.payload
    name = " ".join(str(part) for part in (event.event_type, said.get("tool_name")) if part)
    header = ("MUTX", "MUTX", VERSION, event.event_type, name, str(severity(event) * 2))
    fields = " ".join(f"{key}={extension(value)}" for key, value in _fields(event, workspace_id) if value)
    return f"CEF:0|{'|'.join(map(header_value, header))}|{fields}"


def header_value(text: str) -> str:
    plain = _CONTROL.sub(" ", text[:MAX_VALUE]).replace("\r", " ").replace("\n", " ")
    return plain.replace("\\", "\\\\").replace("|", "\\|")


def extension(value: Any) -> str:
    plain = _CONTROL.sub(" ", str(value)[:MAX_VALUE]).replace("\\", "\\\\").replace("=", "\\=")
    return plain.replace("\r", "\\r").replace("\n", "\\n")


def _fields(event: AuditEvent, workspace_id: str) -> list[tuple[str, Any]]:
    said = event.payload
    plain: list[tuple[str, Any]] = [
        ("rt", round(event.timestamp.timestamp() * 1000)),
        ("externalId", event.event_id),
        ("suid", event.actor_id),
        ("suser", event.actor_display),
        ("duid", said.get("member_id") or said.get("user_id")),
        ("act", said.get("effect") or said.get("status")),
        ("outcome", "failure" if failed(event) else "success"),
        ("reason", said.get("reason")),
        ("cn1", event.sequence),
        ("cn1Label", event.sequence and "sequence"),
    ]
    custom = (
        ("workspace", workspace_id),
        ("agent", event.agent_id),
        ("session", event.session_id),
        ("trace", event.trace_id),
        ("tool", said.get("tool_name")),
        ("receipt", event.policy_decision_id),
    )
    for number, (label, value) in enumerate(custom, 1):
        if value:
            plain += [(f"cs{number}", value), (f"cs{number}Label", label)]
    return plain
