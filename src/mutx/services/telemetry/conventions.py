"""Span names and attribute keys: OpenTelemetry's GenAI semantic conventions (development status), kept in one place.

The conventions moved to a repository of their own and the constants of the Python package are deprecated, so these are ours.
"""

EXECUTE_TOOL = "execute_tool"

OPERATION_NAME = "gen_ai.operation.name"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_TYPE = "gen_ai.tool.type"
AGENT_ID = "gen_ai.agent.id"
CONVERSATION_ID = "gen_ai.conversation.id"
ERROR_TYPE = "error.type"

HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"

PREFIX = "mutx."
"""Of everything that the conventions have no word for."""
WORKSPACE = "mutx.workspace.id"
REQUEST_ID = "mutx.request.id"
DECISION = "mutx.decision"
EFFECT = "mutx.effect"

FUNCTION = "function"
