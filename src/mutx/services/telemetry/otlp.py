"""Events as OpenTelemetry spans over OTLP/HTTP: a session is a trace, a tool call a span `execute_tool`.

Ids are derived from what a span is about, so an event that is delivered twice makes the same span twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from mutx.governance.turn import Event
from mutx.kit.errors import Unavailable
from mutx.services.telemetry import conventions as names
from mutx.services.telemetry.collectors import TokenExchange
from mutx.services.telemetry.exporter import open_exporter

NANO = 1_000_000_000


class OtlpSink:
    """Sends to an OTLP/HTTP traces endpoint."""

    name = "otlp"
    topics: frozenset[str] | None = frozenset({"aarm."})
    """Spans are of tool calls; logins and changes have none."""

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, str] | None = None,
        exchange: TokenExchange | None = None,
        *,
        service: str = "mutx",
    ) -> None:
        """`endpoint`: the full URL, `http://collector:4318/v1/traces`."""
        self._exporter = open_exporter(endpoint, headers, exchange)
        self._resource = Resource.create({"service.name": service})
        self._scope = InstrumentationScope("mutx")

    async def send(self, events: Sequence[Event]) -> None:
        spans = [self._span(event) for event in events]
        result = await asyncio.to_thread(self._exporter.export, spans)
        if result is not SpanExportResult.SUCCESS:
            raise Unavailable("the OTLP endpoint did not take the spans; they are sent again later")

    def _span(self, event: Event) -> ReadableSpan:
        payload = event.payload
        end = int(event.at * NANO)
        start = end - (payload.get("duration_ms") or 0) * 1_000_000
        return ReadableSpan(
            name=_name(event),
            context=_context(event, _own_id(event)),
            parent=_parent(event),
            resource=self._resource,
            attributes=_attributes(event),
            kind=SpanKind.INTERNAL,
            instrumentation_scope=self._scope,
            status=_status(payload),
            start_time=start,
            end_time=end,
        )


def _is_call(event: Event) -> bool:
    """Whether this event ends a tool call: it ran, or it was refused."""
    return event.topic == "aarm.outcome" or (event.topic == "aarm.decision" and event.payload["effect"] == "deny")


def _name(event: Event) -> str:
    return f"{names.EXECUTE_TOOL} {event.payload['tool_name']}" if _is_call(event) else event.topic


def _status(payload: Mapping[str, Any]) -> Status:
    if payload.get("failed") or payload.get("effect") == "deny":
        return Status(StatusCode.ERROR, payload.get("reason_code"))
    return Status(StatusCode.UNSET)


def _attributes(event: Event) -> dict[str, str | int | float | bool]:
    payload = event.payload
    found: dict[str, str | int | float | bool] = {
        names.OPERATION_NAME: names.EXECUTE_TOOL,
        names.TOOL_NAME: payload["tool_name"],
        names.TOOL_TYPE: names.FUNCTION,
        names.TOOL_CALL_ID: payload["action_id"],
        names.AGENT_ID: payload["agent_id"],
        names.CONVERSATION_ID: payload["session_id"],
        names.WORKSPACE: event.workspace_id,
    }
    if _status(payload).status_code is StatusCode.ERROR:
        found[names.ERROR_TYPE] = payload.get("reason_code") or "tool_error"
    taken = {"tool_name", "action_id", "agent_id", "session_id"}
    scalars = {
        key: value for key, value in payload.items() if key not in taken and isinstance(value, str | int | float)
    }
    return found | {names.PREFIX + key: value for key, value in scalars.items()}


def _context(event: Event, span: str) -> SpanContext:
    trace = sha256(f"{event.workspace_id}/{event.payload['session_id']}".encode()).digest()
    span_id = int.from_bytes(sha256(span.encode()).digest()[:8])
    return SpanContext(int.from_bytes(trace[:16]), span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _own_id(event: Event) -> str:
    payload = event.payload
    if _is_call(event):
        return str(payload["action_id"])
    about = payload.get("receipt_id") or f"{payload['request_id']}/{payload['event']}/{event.at}"
    return f"{event.topic}/{about}"


def _parent(event: Event) -> SpanContext | None:
    """A call stands under the call that caused it; everything else under the call it is about."""
    above = event.payload.get("parent_action_id") if _is_call(event) else event.payload["action_id"]
    return None if above is None else _context(event, str(above))
