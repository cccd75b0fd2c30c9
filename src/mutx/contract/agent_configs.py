"""What an agent of each type is configured with."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=120)]
LongName = Annotated[str, Field(min_length=1, max_length=255)]
ShortName = Annotated[str, Field(min_length=1, max_length=64)]


class AgentType(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    LANGCHAIN = "langchain"
    CUSTOM = "custom"
    OPENCLAW = "openclaw"


class AgentConfig(BaseModel):
    """What all types share. Fields that a type does not know are kept as they are: they are the agent's own."""

    model_config = ConfigDict(extra="allow", str_max_length=100_000)

    name: str | None = None
    system_prompt: str | None = None
    version: Annotated[int, Field(ge=1)] = 1
    """The configuration's version; the server counts it."""


class OpenAIAgentConfig(AgentConfig):
    model: LongName = "gpt-4o"
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    max_tokens: int | None = None


class AnthropicAgentConfig(AgentConfig):
    model: LongName = "claude-3-5-sonnet-20240620"
    temperature: Annotated[float, Field(ge=0, le=1)] = 0.7
    max_tokens: int = 4096


class LangChainAgentConfig(AgentConfig):
    chain_id: str
    parameters: dict[str, Any] = {}


class CustomAgentConfig(AgentConfig):
    image: str
    command: list[str] = []
    env: dict[str, str] = {}


class OpenClawWakeupConfig(BaseModel):
    enabled: bool = False
    schedule: str | None = None
    timezone: str | None = None
    label: str | None = None


class OpenClawGatewayConfig(BaseModel):
    port: Annotated[int, Field(ge=1, le=65_535)] = 18_789
    auth_mode: ShortName = "token"
    dashboard_allowed_origins: list[str] = []


class OpenClawAgentConfig(AgentConfig):
    runtime: Name = "personal_assistant"
    template: Name = "personal_assistant"
    assistant_id: str | None = None
    workspace: LongName = "default"
    model: LongName = "openai/gpt-5"
    safety_mode: ShortName = "pairing"
    channels: dict[str, Any] = {}
    skills: list[str] = []
    wakeups: list[OpenClawWakeupConfig] = []
    metadata: dict[str, Any] = {}
    gateway: OpenClawGatewayConfig = OpenClawGatewayConfig()


CONFIGS: Mapping[AgentType, type[AgentConfig]] = {
    AgentType.OPENAI: OpenAIAgentConfig,
    AgentType.ANTHROPIC: AnthropicAgentConfig,
    AgentType.LANGCHAIN: LangChainAgentConfig,
    AgentType.CUSTOM: CustomAgentConfig,
    AgentType.OPENCLAW: OpenClawAgentConfig,
}
