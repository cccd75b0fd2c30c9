"""Supervised agents: child processes of the control plane, and the kill switch for any agent.

Starting programs on the control plane's machine is for people of the installation itself: verified, and of its domains.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from mutx.contract.base import Input, Limit, Page, Schema, Skip, Timestamp
from mutx.contract.operation import operation


class SupervisionState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    RESTARTING = "restarting"


class SupervisedAgent(Schema):
    agent_id: UUID
    state: SupervisionState
    command: list[str]
    """As it was asked for."""
    launch_profile: str | None
    env_keys: list[str]
    """Names of what its environment was given; values are shown to nobody."""
    faramesh_policy: str | None
    pid: int | None
    restart_count: int
    """Restarts after crashes, since somebody started it last."""
    last_exit_code: int | None
    """Below 0: the signal that ended it."""
    last_error: str
    last_start_at: Timestamp | None
    last_stop_at: Timestamp | None
    next_start_at: Timestamp | None
    """While it is restarting."""
    host_id: str | None
    """The control plane that it runs under."""
    healthy: bool
    """It is in the state that was asked for."""
    killed: bool
    """The kill switch is on: nothing starts it, and all its calls are denied."""


class SupervisedLaunchProfileResponse(Schema):
    name: str
    command: list[str]
    env_keys: list[str] = Field(default_factory=list)
    faramesh_policy: str | None = None


Seconds = Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)]
CommandPart = Annotated[str, Field(max_length=4096)]
EnvValue = Annotated[str, Field(max_length=8192)]
EnvKey = Annotated[str, Field(max_length=128)]
Reason = Annotated[str, Field(max_length=1000)]
Lines = Annotated[int, Field(ge=1, le=1000, description="How many at most; the newest.")]


class SupervisedAgentStartRequest(Input):
    agent_id: UUID
    command: Annotated[list[CommandPart], Field(max_length=64)] = Field(default_factory=list)
    """Where direct commands are allowed; a profile has its own."""
    profile: Annotated[str, Field(max_length=128)] | None = None
    """One of `supervision profiles`."""
    env: Annotated[dict[EnvKey, EnvValue], Field(max_length=64)] = Field(default_factory=dict, repr=False)
    """Variables that the profile or the installation lets be set."""
    faramesh_policy: Annotated[str, Field(max_length=255)] | None = None


class SupervisedAgentStopRequest(Input):
    timeout: Seconds | None = 10.0
    """Seconds between TERM and KILL; null: the installation's."""


class SupervisedStop(Input):
    agent_id: UUID
    timeout: Seconds | None = 10.0


class SupervisionStatus(Schema):
    enabled: bool
    """Whether there is anything that could be started."""
    running: bool
    """Whether this process supervises."""
    host_id: str | None
    governor: str
    """`native`, or `faramesh` where a binary is configured."""
    socket_path: str | None
    """Where Faramesh clients of this machine are governed."""
    agents: dict[str, int]
    """How many of the workspace's are in each state."""
    auto_restart: bool
    max_restarts: int


class AgentLine(Schema):
    at: Timestamp
    stream: str
    """`stdout`, `stderr` or `supervisor`."""
    message: str
    """Without secrets."""


class AgentOutput(Schema):
    agent_id: UUID
    items: list[AgentLine]


class AgentKillRequest(Input):
    reason: Reason = ""


class AgentKill(Schema):
    agent_id: UUID
    reason: str
    killed_by: UUID
    killed_at: Timestamp


@operation("GET", "/runtime/governance/supervised", scope="supervision:read")
def list_supervised(skip: Skip = 0, limit: Limit = 50) -> Page[SupervisedAgent]:
    """List the workspace's supervised agents, newest first."""


@operation("GET", "/runtime/governance/supervised/status", scope="supervision:read")
def get_supervision_status() -> SupervisionStatus:
    """Show whether this installation supervises, and how its agents are."""


@operation("GET", "/runtime/governance/supervised/profiles", scope="supervision:read")
def list_launch_profiles() -> list[SupervisedLaunchProfileResponse]:
    """List what can be started."""


@operation("POST", "/runtime/governance/supervised/start", scope="supervision:admin")
def start_supervised(body: SupervisedAgentStartRequest) -> SupervisedAgent:
    """Start an agent as a child process and keep it running."""


@operation("POST", "/runtime/governance/supervised/stop", scope="supervision:admin")
def stop_supervised_agent(body: SupervisedStop) -> SupervisedAgent:
    """Stop an agent with everything it started."""


@operation("GET", "/runtime/governance/supervised/kills", scope="supervision:read")
def list_agent_kills(skip: Skip = 0, limit: Limit = 50) -> Page[AgentKill]:
    """List the agents whose kill switch is on, newest first."""


@operation("GET", "/runtime/governance/supervised/{agent_id}", scope="supervision:read")
def get_supervised(agent_id: UUID) -> SupervisedAgent:
    """Show a supervised agent."""


@operation("GET", "/runtime/governance/supervised/{agent_id}/logs", scope="supervision:read")
def list_supervised_logs(agent_id: UUID, lines: Lines = 100) -> AgentOutput:
    """Show what an agent printed last, without secrets."""


@operation("POST", "/runtime/governance/supervised/{agent_id}/stop", scope="supervision:admin")
def stop_supervised(agent_id: UUID, body: SupervisedAgentStopRequest | None = None) -> SupervisedAgent:
    """Stop an agent with everything it started."""


@operation("POST", "/runtime/governance/supervised/{agent_id}/restart", scope="supervision:admin")
def restart_supervised(agent_id: UUID) -> SupervisedAgent:
    """Stop an agent and start it again as it was started last."""


@operation("POST", "/runtime/governance/supervised/{agent_id}/kill", scope="supervision:admin")
def kill_agent(agent_id: UUID, body: AgentKillRequest | None = None) -> AgentKill:
    """Stop an agent at once and deny all its further calls, at every door, until it is revived. Works for any agent."""


@operation("POST", "/runtime/governance/supervised/{agent_id}/revive", scope="supervision:admin")
def revive_agent(agent_id: UUID) -> None:
    """Turn an agent's kill switch off. It is not started by that."""
