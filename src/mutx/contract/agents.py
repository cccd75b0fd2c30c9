"""Agents: what they are, and what they report of themselves."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, JsonValue

from mutx.contract.agent_configs import AgentType
from mutx.contract.base import Input, Limit, Page, Schema, Skip, Timestamp
from mutx.contract.operation import operation
from mutx.contract.workspaces import DisplayName

JsonObject = dict[str, JsonValue]
Description = Annotated[str, Field(max_length=10_000)]
AgentId = Annotated[str, Field(min_length=1, max_length=64)]
LogMessage = Annotated[str, Field(max_length=100_000)]
ClaimedTime = Annotated[str, Field(max_length=64)]
"""What the agent's clock says. Kept for nothing: the server's own time counts."""
Usage = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=2**53)]


class AgentStatus(StrEnum):
    CREATING = "creating"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    DELETING = "deleting"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Agent(Schema):
    id: UUID
    name: str
    description: str | None
    type: AgentType
    status: AgentStatus
    config: dict[str, Any] | None
    """As the type's shape in `agent_configs` has it; null while a type that needs values was given none."""
    config_version: int
    created_at: Timestamp
    updated_at: Timestamp
    user_id: UUID
    last_heartbeat: Timestamp | None = None
    paused_since: Timestamp | None = None
    """Paused for how it behaves: nothing is allowed to it until somebody resumes it."""


class AgentCreate(Input):
    name: DisplayName
    description: Description | None = None
    type: AgentType = AgentType.OPENAI
    config: JsonObject | Annotated[str, Field(max_length=200_000)] | None = None
    """An object, or the same as JSON text."""


class AgentConfiguration(Schema):
    agent_id: UUID
    type: AgentType
    config: dict[str, Any]
    config_version: int
    updated_at: Timestamp


class AgentConfigUpdate(Input):
    config: JsonObject | Annotated[str, Field(max_length=200_000)]
    """What changes, as a JSON merge patch (RFC 7396): null removes a field."""


class AgentVersion(Schema):
    id: UUID
    agent_id: UUID
    version: int
    config_snapshot: str
    status: str
    created_at: Timestamp
    rolled_back_at: Timestamp | None = None


class AgentHistory(Page[AgentVersion]):
    agent_id: UUID


class AgentRegister(Input):
    name: DisplayName
    description: Description = ""
    metadata: JsonObject = Field(default_factory=dict)
    """Whatever else is worth knowing. It is kept, and decides nothing."""
    capabilities: Annotated[list[str], Field(max_length=256)] = Field(default_factory=list)
    """What the agent says it can do. It is kept, and decides nothing."""


class AgentRegistered(Schema):
    agent_id: str
    api_key: str = Field(repr=False)
    """The agent's own key. It is shown this once."""
    status: str
    message: str


class Heartbeat(Input):
    agent_id: AgentId
    status: AgentStatus = AgentStatus.RUNNING
    message: Annotated[str, Field(max_length=2000)] | None = None
    timestamp: ClaimedTime = ""
    platform: Annotated[str, Field(max_length=255)] | None = None
    hostname: Annotated[str, Field(max_length=255)] | None = None


class HeartbeatTaken(Schema):
    status: str
    agent_id: str
    timestamp: Timestamp


class AgentLiveness(Schema):
    agent_id: str
    status: AgentStatus
    last_heartbeat: Timestamp | None
    uptime_seconds: float
    paused_since: Timestamp | None = None
    """Nothing is allowed to it until `POST /v1/guardrails/agents/{agent_id}/resume`."""


class MetricReport(Input):
    agent_id: AgentId
    cpu_usage: Usage | None = 0.0
    memory_usage: Usage | None = 0.0
    uptime_seconds: Usage | None = 0.0
    requests_processed: Count | None = 0
    errors_count: Count | None = 0
    custom: JsonObject = Field(default_factory=dict)
    """Figures of your own."""
    timestamp: ClaimedTime = ""


class Taken(Schema):
    status: str
    agent_id: str


class AgentMetric(Schema):
    id: UUID
    agent_id: UUID
    cpu_usage: float | None
    memory_usage: float | None
    uptime_seconds: float | None = None
    requests_processed: int | None = None
    errors_count: int | None = None
    custom: dict[str, Any] = Field(default_factory=dict)
    timestamp: Timestamp


class AgentMetricHistory(Page[AgentMetric]):
    agent_id: UUID


class LogReport(Input):
    agent_id: AgentId
    level: LogLevel = LogLevel.INFO
    message: LogMessage
    metadata: JsonObject = Field(default_factory=dict)
    timestamp: ClaimedTime = ""


class AgentLog(Schema):
    id: UUID
    agent_id: UUID
    level: str
    message: str
    extra_data: str | None
    """The report's metadata, as JSON text."""
    timestamp: Timestamp


class AgentLogHistory(Page[AgentLog]):
    agent_id: UUID


class CommandSend(Input):
    action: Annotated[str, Field(min_length=1, max_length=64)]
    """What the agent is to do, in a word that it knows."""
    parameters: JsonObject = Field(default_factory=dict)
    timeout_seconds: Annotated[int, Field(ge=1, le=30 * 86_400)] = 3600
    """Not acknowledged by then, it is handed out no more and ends as `timeout`."""


class Command(Schema):
    command_id: str
    action: str
    parameters: dict[str, Any]
    received_at: Timestamp
    """When the server took it; pass the latest one as `since`."""
    expires_at: Timestamp
    """To be acknowledged before that."""


class CommandList(Schema):
    commands: list[Command]


class CommandAcknowledge(Input):
    command_id: AgentId
    agent_id: AgentId
    success: bool
    result: JsonObject | None = None
    error: Annotated[str, Field(max_length=10_000)] | None = None
    completed_at: ClaimedTime = ""


class CommandAcknowledged(Schema):
    status: str
    command_id: str


@operation("GET", "/agents", scope="agents:read")
def list_agents(skip: Skip = 0, limit: Limit = 50) -> Page[Agent]:
    """List the agents of the workspace, newest first."""


@operation("POST", "/agents", scope="agents:write", status=201)
def create_agent(body: AgentCreate) -> Agent:
    """Create an agent."""


@operation("POST", "/agents/register", scope="agents:write")
def register_agent(body: AgentRegister) -> AgentRegistered:
    """Create an agent that runs already, and give it a key of its own."""


@operation("POST", "/agents/heartbeat", scope="agents:act")
def send_heartbeat(body: Heartbeat) -> HeartbeatTaken:
    """Say that an agent is alive, and how it is."""


@operation("POST", "/agents/metrics", scope="agents:act")
def report_metrics(body: MetricReport) -> Taken:
    """Report what an agent uses and has done."""


@operation("POST", "/agents/logs", scope="agents:act")
def report_log(body: LogReport) -> Taken:
    """Report one log message of an agent."""


@operation("GET", "/agents/commands", scope="agents:act")
def list_commands(agent_id: AgentId, since: Timestamp | None = None) -> CommandList:
    """List an agent's commands that wait to be acknowledged, oldest first (100 at most)."""


@operation("POST", "/agents/commands/acknowledge", scope="agents:act")
def acknowledge_command(body: CommandAcknowledge) -> CommandAcknowledged:
    """Say what came of a command."""


@operation("GET", "/agents/{agent_id}", scope="agents:read")
def get_agent(agent_id: UUID) -> Agent:
    """Show one agent."""


@operation("DELETE", "/agents/{agent_id}", scope="agents:write")
def delete_agent(agent_id: UUID) -> None:
    """Delete an agent with its history, and revoke its keys. Its receipts stay."""


@operation("GET", "/agents/{agent_id}/config", scope="agents:read")
def get_agent_config(agent_id: UUID) -> AgentConfiguration:
    """Show an agent's configuration."""


@operation("PATCH", "/agents/{agent_id}/config", scope="agents:write")
def update_agent_config(agent_id: UUID, body: AgentConfigUpdate) -> AgentConfiguration:
    """Change an agent's configuration; each change is a new version."""


@operation("GET", "/agents/{agent_id}/status", scope="agents:read")
def get_agent_status(agent_id: UUID) -> AgentLiveness:
    """Show whether an agent is alive."""


@operation("GET", "/agents/{agent_id}/versions", scope="agents:read")
def list_agent_versions(agent_id: UUID, skip: Skip = 0, limit: Limit = 50) -> AgentHistory:
    """List the versions of an agent's configuration, newest first."""


@operation("GET", "/agents/{agent_id}/metrics", scope="agents:read")
def list_agent_metrics(agent_id: UUID, skip: Skip = 0, limit: Limit = 100) -> AgentMetricHistory:
    """List what an agent reported of itself, newest first."""


@operation("GET", "/agents/{agent_id}/logs", scope="agents:read")
def list_agent_logs(
    agent_id: UUID, skip: Skip = 0, limit: Limit = 100, level: LogLevel | None = None
) -> AgentLogHistory:
    """List an agent's log messages, newest first."""


@operation("POST", "/agents/{agent_id}/commands", scope="agents:write", status=201)
def send_command(agent_id: UUID, body: CommandSend) -> Command:
    """Queue a command for an agent to fetch."""
