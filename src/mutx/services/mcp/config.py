"""Which MCP servers the proxy stands before: the `mcpServers` object that MCP clients read, with a few fields of our own."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mutx.contract.mcp import ServerName
from mutx.kit.errors import SetupError

MAX_SERVERS = 64
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")

RelayKind = Literal["elicitation", "sampling", "roots"]
"""What a server may ask of the client while it serves a call."""


class ServerSpec(BaseModel):
    """One server: a command to run, or an address. Texts may hold `${NAME}` and `${NAME:-default}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    command: str | None = None
    args: list[str] = Field(default_factory=list, max_length=256)
    env: dict[str, str] = Field(default_factory=dict, repr=False)
    """All that the server gets beside PATH, HOME and the like; never this process's own environment."""
    cwd: str | None = None
    url: str | None = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    oauth: bool = False
    """Sign in to it with OAuth; `mutx mcp login NAME` does it once."""
    relay: list[RelayKind] = ["elicitation"]
    """What it may ask of the client; sampling and roots only where they are named."""
    protocol: Literal["auto", "legacy"] = "auto"
    """`legacy`: the handshake of 2025 also with servers that know the stateless revision; there alone a server may ask
    in the middle of a call, and tell of itself that its tools changed."""
    type: Literal["stdio", "http", "streamable-http"] | None = None
    """As other clients write it; what is given beside it says the same."""

    @model_validator(mode="after")
    def _one_way_to_reach_it(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("give a command or a url, and not both")
        if self.url is not None and not self.url.startswith(("https://", "http://")):
            raise ValueError("the url must begin with https:// or http://")
        if self.oauth and self.url is None:
            raise ValueError("oauth is for servers with a url")
        return self


class ProxyConfig(BaseModel):
    """The servers by name. The name is the first part of their tools' names: `name__tool`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    servers: dict[ServerName, ServerSpec] = Field(alias="mcpServers", min_length=1, max_length=MAX_SERVERS)


def read_config(path: Path, environment: Mapping[str, str] | None = None) -> ProxyConfig:
    """Raises SetupError, which names the field and never shows a value."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read as JSON: {error}") from error
    return make_config(_expanded(content, os.environ if environment is None else environment), source=str(path))


def make_config(content: Any, *, source: str) -> ProxyConfig:
    """From what is expanded already. Raises SetupError."""
    try:
        return ProxyConfig.model_validate(content)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise SetupError(f"{source}: {found}") from None


def _expanded(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _variable(found, environment), value)
    if isinstance(value, dict):
        return {name: _expanded(inner, environment) for name, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner, environment) for inner in value]
    return value


def _variable(found: "re.Match[str]", environment: Mapping[str, str]) -> str:
    name, default = found.groups()
    value = environment.get(name, default)
    if value is None:
        raise SetupError(f"the environment variable {name} is not set, and the configuration of MCP servers needs it")
    return value
