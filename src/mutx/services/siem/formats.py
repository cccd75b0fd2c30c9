"""One audit event as one line, in the format that its reader wants."""

from collections.abc import Callable
from enum import StrEnum

from mutx.contract.audit import AuditEvent
from mutx.kit.canonical import canonical
from mutx.services.siem.cef import cef
from mutx.services.siem.ocsf import ocsf

MAX_LINE = 65_536
"""Bytes. A longer event is sent without its payload; the log itself keeps it."""

Formatter = Callable[[AuditEvent, str], str]
"""Event and workspace id to a line without its end."""


class SiemFormat(StrEnum):
    JSON = "json"
    OCSF = "ocsf"
    CEF = "cef"


def formatter(name: SiemFormat) -> Formatter:
    """Lines of at most `MAX_LINE` bytes of UTF-8."""
    write = {SiemFormat.JSON: _json, SiemFormat.OCSF: _ocsf, SiemFormat.CEF: cef}[name]

    def bounded(event: AuditEvent, workspace_id: str) -> str:
        line = write(event, workspace_id)
        if len(line.encode()) <= MAX_LINE:
            return line
        return write(event.model_copy(update={"payload": {"left_out": "too long"}}), workspace_id)

    return bounded


def _json(event: AuditEvent, workspace_id: str) -> str:
    return canonical(event.model_dump(mode="json", exclude_none=True) | {"workspace_id": workspace_id}).decode()


def _ocsf(event: AuditEvent, workspace_id: str) -> str:
    return canonical(ocsf(event, workspace_id)).decode()
