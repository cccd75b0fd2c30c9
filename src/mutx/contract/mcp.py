"""MCP: the tools that servers behind the proxy offer, each definition pinned by its hash, and the ones that are held back."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from mutx.contract.base import Input, Limit, Page, Schema, Skip, Timestamp
from mutx.contract.operation import operation

MAX_OBSERVED = 200
"""Definitions in one observation; a larger server is observed in several."""

ServerName = Annotated[str, Field(pattern=r"^[a-z0-9](-?[a-z0-9])*$", max_length=40)]
"""Of an MCP server, as the proxy's configuration calls it; the first part of its tools' names in policies."""

ToolName = Annotated[str, Field(min_length=1, max_length=256)]


class PinState(StrEnum):
    """Where one definition of one tool stands."""

    PINNED = "pinned"
    """In use: seen first, or approved since."""
    QUARANTINED = "quarantined"
    """Neither listed nor called until a person approves it."""
    RETIRED = "retired"
    """Was in use until another definition of the tool was approved."""


class ObservedTool(Input):
    """A tool as its server defines it."""

    name: ToolName
    title: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] = Field(default_factory=dict)
    output_schema: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None


class McpObservation(Input):
    """What one server lists at the moment. `agent_id`: for whom policies are asked."""

    server: ServerName
    tools: list[ObservedTool] = Field(max_length=MAX_OBSERVED)
    agent_id: str | None = Field(default=None, max_length=256)


class ToolStanding(Schema):
    """One observed tool: may it be listed and called?"""

    tool_id: str
    tool: str
    qualified_name: str
    """`server__tool`: its name in policies, in receipts and for the proxy's clients."""
    digest: str
    state: PinState
    reasons: list[str] = Field(default_factory=list)
    """Why it is held back."""
    allowed: bool = True
    """False where the policies in force deny every call of it by this agent."""
    denied_by: str = ""


class McpStandings(Schema):
    """In the order of the observation."""

    tools: list[ToolStanding]


class McpCheck(Input):
    """A call that is about to be decided: the very definition it was made for."""

    server: ServerName
    tool: ToolName
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    agent_id: str | None = Field(default=None, max_length=256)
    session_id: str | None = Field(default=None, max_length=256)


class McpVerdict(Schema):
    """Whether the definition is in use. A refusal stands in the audit log."""

    callable: bool
    state: PinState
    reasons: list[str] = Field(default_factory=list)


class McpCaller(Schema):
    """Whose credential this is, as a proxy has to know it that was shown it."""

    principal_id: str
    kind: str
    workspace_id: str
    user_id: str
    agent_id: str | None = None
    """Set for an agent's own key: it speaks for that agent only."""
    method: str
    """How it was recognised: `jwt`, `api_key`, `agent_key`, `oidc`, ..."""
    scopes: list[str] = Field(default_factory=list)


class McpTool(Schema):
    """One definition of one tool of one server."""

    id: UUID
    server: str
    tool: str
    state: PinState
    digest: str
    reasons: list[str]
    decided_by: str | None = None
    """The person who approved it or put it in quarantine; nobody yet."""
    decided_at: Timestamp | None = None
    first_seen_at: Timestamp
    last_seen_at: Timestamp


class McpToolDetail(McpTool):
    """With what an approver has to read."""

    definition: dict[str, Any]
    replaces: dict[str, Any] | None = None
    """The definition in use, where this one is another."""


class McpToolSchemas(Schema):
    """A PolicySet document that declares the tools in use, for a person to label and apply."""

    document: str


@operation("POST", "/mcp/tools/observe", scope="mcp:act")
def observe_mcp_tools(body: McpObservation) -> McpStandings:
    """Tell which tools a server lists, as the proxy does; new ones are pinned, changed and suspicious ones quarantined."""


@operation("POST", "/mcp/tools/check", scope="mcp:act")
def check_mcp_tool(body: McpCheck) -> McpVerdict:
    """Ask whether a definition is in use, as the proxy does before it calls the tool."""


@operation("GET", "/mcp/caller", scope="mcp:act")
def get_mcp_caller() -> McpCaller:
    """Tell whose credential the request came with, as the proxy asks for each client's."""


@operation("GET", "/mcp/tools", scope="mcp:read")
def list_mcp_tools(
    state: PinState | None = None, server: str | None = None, skip: Skip = 0, limit: Limit = 50
) -> Page[McpTool]:
    """List the definitions that were seen, what is quarantined first."""


@operation("GET", "/mcp/tools/schemas", scope="mcp:read")
def export_mcp_schemas(server: str | None = None) -> McpToolSchemas:
    """Write the tools in use as declarations of a policy: parameters and risk, from their JSON schemas."""


@operation("GET", "/mcp/tools/{tool_id}", scope="mcp:read")
def get_mcp_tool(tool_id: UUID) -> McpToolDetail:
    """Show one definition, and the one it would replace."""


@operation("POST", "/mcp/tools/{tool_id}/approve", scope="mcp:write")
def approve_mcp_tool(tool_id: UUID) -> McpToolDetail:
    """Take a definition into use, as the person who is signed in; another one of the same tool is retired."""


@operation("POST", "/mcp/tools/{tool_id}/quarantine", scope="mcp:write")
def quarantine_mcp_tool(tool_id: UUID) -> McpToolDetail:
    """Take a definition out of use until somebody approves it."""
