"""The verbs where traces are on: the request's span says of which tool, agent and session a decision was."""

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace

from mutx.governance.types import Caller
from mutx.server.doors.verbs import Json, Verbs
from mutx.services.telemetry import conventions as names

MAX_ATTRIBUTE = 256

ASKED = {
    "tool_name": names.TOOL_NAME,
    "agent_id": names.AGENT_ID,
    "session_id": names.CONVERSATION_ID,
    "action_id": names.TOOL_CALL_ID,
}
ANSWERED = {"action_id": names.TOOL_CALL_ID, "decision": names.DECISION, "effect": names.EFFECT}


class TracedVerbs(Verbs):
    """Adds to the span of the request that a verb runs in. Arguments of tools never stand in it."""

    async def call(self, verb: str, body: Any, caller: Caller) -> Json:
        answer = await super().call(verb, body, caller)
        span = trace.get_current_span()
        if span.is_recording():
            span.set_attribute(names.OPERATION_NAME, names.EXECUTE_TOOL)
            span.set_attributes(_told(body, ASKED) | _told(answer, ANSWERED))
        return answer


def _told(values: Mapping[str, Any], under: Mapping[str, str]) -> dict[str, str]:
    found = {key: values.get(name) for name, key in under.items()}
    return {key: value[:MAX_ATTRIBUTE] for key, value in found.items() if isinstance(value, str)}
